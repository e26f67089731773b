import { execFileSync } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { commandPath } from "../../support/library.ts";
import { lacksProgram } from "../../support/programs.ts";
import { failing, operationId, startServer } from "../run-cli.ts";

// A process starts slowly on a busy machine.

/** The real command in a real terminal. */
interface Terminal {
  /** The lines that it shows. */
  readonly screen: readonly string[];
  /** The same with the sequences that colour them. */
  readonly coloured: string;
}

function openTerminal(argv: readonly string[], env: string): Terminal {
  const socket = `lro-test-${process.pid}-${performance.now()}`;
  const tmux = (...words: readonly string[]): string =>
    execFileSync("tmux", ["-u", "-L", socket, "-f", "/dev/null", ...words], { encoding: "utf8" });
  const command = [process.execPath, "--no-warnings", commandPath, ...argv]
    .map((word) => `'${word}'`)
    .join(" ");
  tmux("new-session", "-d", "-x", "100", "-y", "24", `env ${env} ${command}; sleep 1000`);
  onTestFinished(() => void tmux("kill-server"));
  return {
    get screen() {
      return tmux("capture-pane", "-p").trimEnd().split("\n");
    },
    get coloured() {
      return tmux("capture-pane", "-e", "-p");
    },
  };
}

const lacksTmux = lacksProgram("tmux", "-V");

const escape = "\u001B";
const ascii = new RegExp(`^[${escape}\n -~]*$`);

test.skipIf(lacksTmux).each<[string, string, RegExp]>([
  ["LANG=C.UTF-8", `${escape}[31mFailed`, /^\S+ +\S*Failed.*→ Allocation/s],
  ["LANG=C.UTF-8 NO_COLOR=1", `${operationId}  Failed `, /→ Allocation/],
  ["LC_ALL=C", `${escape}[31mFailed`, ascii],
  ["LC_ALL=C TERM=dumb", `0:00 ${operationId} Failed\n`, ascii],
])(
  "with %s a real terminal shows the colours and characters that it has",
  async (env, failed, characters) => {
    const server = await startServer();
    const { operationLocation } = server.addOperation({ operationId, timeline: failing.slice(1) });
    const terminal = openTerminal(["wait", operationLocation], env);
    await expect.poll(() => terminal.screen.at(-1)).toMatch(/^Request id: \S{36}$/);
    expect(terminal.coloured).toContain(failed);
    expect(terminal.coloured).toMatch(characters);
    if (env.includes("NO_COLOR")) expect(terminal.coloured).not.toContain(escape);
  },
);

test.skipIf(lacksTmux)(
  "a real terminal redraws the tree of a deployment in place, within its height",
  async () => {
    const server = await startServer({ style: "arm", deployments: {}, speed: 20 });
    const storage = "Microsoft.Storage/storageAccounts";
    const resources = Array.from({ length: 40 }, (_, index) => ({
      type: storage,
      name: `store${index}`,
      durationInMs: index < 4 ? 1000 : 3_000_000,
      ...(index === 3 && { failure: "quota" as const }),
    }));
    const { id } = server.addDeployment({ resources: [{ name: "modules", deployment: { resources } }] });
    const terminal = openTerminal(["wait", "--endpoint", server.endpoint, id], "LANG=C.UTF-8");
    await expect.poll(() => terminal.screen.join("\n")).toMatch(/store3 +Failed /);
    const lines = terminal.screen;
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines[0]).toMatch(/^myDeployment +Running +[█░]+ +~\d+ %/);
    expect(lines[1]).toMatch(
      /^ {2}4 of at least 40 parts · 1 failed · 36 running · oldest: modules\/store\d+ \d+:\d\d$/,
    );
    expect(lines[2]).toMatch(/^ {2}modules +Running/);
    expect(lines[3]).toMatch(/^ {4}store3 +Failed +\d:\d\d {2}\w+/);
    expect(lines.at(-1)).toMatch(/^ {2}… and \d+ more: \d+ running, 3 succeeded$/);
    expect(lines.filter((line) => line.startsWith("myDeployment"))).toHaveLength(1);
  },
);
