import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { commandPath } from "../../support/library.ts";
import { lacksProgram } from "../../support/programs.ts";
import { cancelable } from "../cancelable.ts";
import { startServer, temporaryFolder } from "../run-cli.ts";

const lacksTmux = lacksProgram("tmux", "-V");

/** The real command in a real terminal, with keys that are really typed. */
interface Terminal {
  type(...keys: readonly string[]): void;
  readonly screen: string;
}

function openTerminal(argv: readonly string[]): Terminal {
  const socket = `lro-test-${process.pid}-${performance.now()}`;
  const tmux = (...words: readonly string[]): string =>
    execFileSync("tmux", ["-u", "-L", socket, "-f", "/dev/null", ...words], { encoding: "utf8" });
  const command = [process.execPath, "--no-warnings", commandPath, ...argv]
    .map((word) => `'${word}'`)
    .join(" ");
  const env = "env LANG=C.UTF-8 NO_COLOR=1";
  tmux("new-session", "-d", "-x", "110", "-y", "30", `${env} ${command}; echo "exit code $?"; sleep 1000`);
  onTestFinished(() => void tmux("kill-server"));
  return {
    type: (...keys) => void tmux("send-keys", ...keys),
    get screen() {
      return tmux("capture-pane", "-p");
    },
  };
}

function fileOf(token: string): string {
  const file = join(temporaryFolder(), "token.json");
  writeFileSync(file, token);
  return file;
}

const asked = /Interrupted. l: leave it running, c: cancel it and wait, k: keep waiting/;

async function untilShown(terminal: Terminal, pattern: RegExp): Promise<void> {
  await expect.poll(() => terminal.screen).toMatch(pattern);
}

test.skipIf(lacksTmux)("Ctrl-C asks, and c cancels the operation and waits for its end", async () => {
  const { token } = await cancelable();
  const terminal = openTerminal(["wait", "--resume", fileOf(token)]);
  await untilShown(terminal, /Running/);
  terminal.type("C-c");
  await untilShown(terminal, asked);
  terminal.type("c");
  await untilShown(terminal, /exit code 3/);
  expect(terminal.screen).toMatch(/Canceled/);
  expect(terminal.screen).toMatch(/^cancel: \S+: the operation was canceled$/m);
  expect(terminal.screen).not.toMatch(asked);
});

test.skipIf(lacksTmux)("k keeps waiting, and l leaves the operation running", async () => {
  const { token, server, operationId } = await cancelable();
  const terminal = openTerminal(["wait", "--resume", fileOf(token)]);
  await untilShown(terminal, /Running/);
  terminal.type("C-c");
  await untilShown(terminal, asked);
  // Another key is no answer.
  terminal.type("x", "k");
  await expect.poll(() => terminal.screen).not.toMatch(asked);
  terminal.type("C-c");
  await untilShown(terminal, asked);
  terminal.type("l");
  await untilShown(terminal, /exit code 130/);
  expect(terminal.screen).toContain("npx lro wait --resume");
  const requests = server.requests.filter(({ method }) => method === "POST");
  expect([operationId, requests]).toEqual([operationId, []]);
});

test.skipIf(lacksTmux)("a second Ctrl-C leaves at once", async () => {
  const { token } = await cancelable();
  const terminal = openTerminal(["wait", "--resume", fileOf(token)]);
  await untilShown(terminal, /Running/);
  terminal.type("C-c");
  await untilShown(terminal, asked);
  terminal.type("C-c");
  await untilShown(terminal, /exit code 130/);
  expect(terminal.screen).not.toMatch(asked);
});

test.skipIf(lacksTmux)("a refused cancel goes on waiting, and Ctrl-C asks again", async () => {
  const { token, server } = await cancelable(undefined, true);
  const terminal = openTerminal(["wait", "--resume", fileOf(token), "--quiet"]);
  await expect.poll(() => server.requests.length).toBeGreaterThan(0);
  terminal.type("C-c");
  await untilShown(terminal, asked);
  terminal.type("c");
  await untilShown(terminal, /the service refused, and the operation continues: HTTP 400/);
  terminal.type("C-c");
  await untilShown(terminal, /(Interrupted[^]*){2}/);
  terminal.type("l");
  await untilShown(terminal, /exit code 130/);
});

test.skipIf(lacksTmux)("the end of the operation ends the question", async () => {
  const { token, server, operationId } = await cancelable();
  const terminal = openTerminal(["wait", "--resume", fileOf(token)]);
  await untilShown(terminal, /Running/);
  terminal.type("C-c");
  await untilShown(terminal, asked);
  server.setStatus(operationId, "Succeeded");
  await untilShown(terminal, /exit code 0/);
  expect(terminal.screen).not.toMatch(asked);
});

test.skipIf(lacksTmux)("without a known cancel Ctrl-C asks nothing", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
  const terminal = openTerminal(["wait", operationLocation]);
  await untilShown(terminal, /Running/);
  terminal.type("C-c");
  await untilShown(terminal, /exit code 130/);
  expect(terminal.screen).not.toMatch(asked);
});
