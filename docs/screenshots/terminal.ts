import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const size = { columns: 96, rows: 16 };
const command = new URL("../../dist/cli/main.js", import.meta.url).pathname;

function tmux(...argv: readonly string[]): string {
  // A server of its own, without the settings of whoever runs this.
  return execFileSync("tmux", ["-u", "-L", "lro-screenshots", "-f", "/dev/null", ...argv], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** Runs `lro wait` in a terminal, with these locations on its stdin. */
export function openTerminal(
  argv: readonly string[],
  locations: readonly string[],
  rows: number = size.rows,
): void {
  const list = join(mkdtempSync(join(tmpdir(), "lro-")), "ops.txt");
  writeFileSync(list, locations.join("\n"));
  const { columns } = size;
  const run = `${process.execPath} ${command} wait ${argv.join(" ")} < ${list}; sleep 60`;
  tmux("new-session", "-d", "-x", String(columns), "-y", String(rows), `env LANG=C.UTF-8 sh -c '${run}'`);
}

export function closeTerminal(): void {
  try {
    tmux("kill-server");
  } catch {
    // There is none.
  }
}

/**
 * What it shows, with its colours, as soon as it shows this.
 *
 * @throws Error with the last screen when that has not come within two minutes
 */
export async function screenOf(wanted: RegExp): Promise<string> {
  for (let second = 0; second < 120; second += 0.2) {
    if (wanted.test(tmux("capture-pane", "-p"))) return tmux("capture-pane", "-e", "-p");
    await sleep(200);
  }
  throw new Error(`Expected ${String(wanted)} on the screen, got:\n${tmux("capture-pane", "-p")}`);
}
