import { chmodSync, existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AddedOperation, OperationServer } from "lro-poller/testing";
import { expect, test, vi } from "vitest";
import { Interruption } from "../../../src/cli/input/context.ts";
import { operationId, runCli, startServer, temporaryFolder, untimed } from "../run-cli.ts";
import type { CliRun } from "../run-cli.ts";

interface StoppedRun extends CliRun {
  readonly server: OperationServer;
  readonly operations: readonly AddedOperation[];
}

test("the resume command has the options of the interrupted command, and the names", async () => {
  const history = join(temporaryFolder(), "durations.json");
  const states =
    "--succeeded-state Dequeued --failed-state 'dead letter' --failed-state Lost --canceled-state Gone";
  const options = `--timeout 90s --stall-timeout 10m ${states} --poll-cost 1500ms --history ${history} --kind 'small boxes' -o json --quiet`;
  const { stderr } = await stopAtOnce(["web"], words(options));
  expect(stderr).toMatch(
    new RegExp(
      `^Stopped waiting; the operation continues.\\nTo continue waiting:\\n  npx lro wait ${options} --resume 'web=\\{.*\\}'\\n$`,
    ),
  );
});

test("the resume command has a summary, a live page and outputs, if there were any", async () => {
  const { stderr } = await stopAtOnce(["web"], ["--summary", "--web", "--step-outputs"]);
  expect(stderr).toMatch(/^ {2}npx lro wait --summary --web --step-outputs --resume /m);
});

/** As a shell splits them. */
function words(command: string): string[] {
  return Array.from(command.matchAll(/'([^']*)'|\S+/g), ([word, quoted]) => quoted ?? word);
}

test("up to three tokens are in the command, more in a file that it names", async () => {
  const three = await stopAtOnce(["a", "b", "c"]);
  expect(three.stderr).toMatch(/^ {2}npx lro wait \\\n( {4}--resume '[abc]=\{.*\}'( \\)?\n){3}$/m);
  const shared = temporaryFolder();
  chmodSync(shared, 0o755);
  vi.stubEnv("TMPDIR", shared);
  const four = await stopAtOnce(["a", "b", "c", "d"]);
  const [, file = ""] = /^ {2}npx lro wait --resume (\S+)$/m.exec(four.stderr) ?? [];
  expect(statSync(dirname(file)).mode & 0o077, "others may not read it").toBe(0);
  for (const { operationId: id } of four.operations) four.server.setStatus(id, "Succeeded");
  const { exitCode, stdout } = await runCli(["wait", "--resume", file]);
  expect(exitCode).toBe(0);
  expect(untimed(stdout).trimEnd().split("\n").toSorted()).toEqual(
    ["a", "b", "c", "d"].map((name) => `${name} Succeeded`),
  );
});

test("--resume-file gets the tokens, one on each line, and the resume command names it", async () => {
  const file = join(temporaryFolder(), "my waits.txt");
  const two = await stopAtOnce(["a", "b"], ["--resume-file", file]);
  expect(two.stderr).toContain(`  npx lro wait --resume-file '${file}' --resume '${file}'\n`);
  expect(readFileSync(file, "utf8")).toMatch(/^a=\{.*\}\nb=\{.*\}\n$/);
  expect(statSync(file).mode & 0o077, "others may not read it").toBe(0);
  const [first] = two.operations;
  if (first) two.server.setStatus(first.operationId, "Succeeded");
  const again = ["wait", "--resume-file", file, "--resume", file];
  expect((await runCli([...again, "--timeout", "1m"])).exitCode).toBe(4);
  expect(readFileSync(file, "utf8")).toMatch(/^b=\{.*\}\n$/);
});

test("--resume-file is left alone when nothing is to be continued", async () => {
  const file = join(temporaryFolder(), "waits.txt");
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Succeeded" }] });
  expect((await runCli(["wait", "--resume-file", file, operationLocation])).exitCode).toBe(0);
  expect(existsSync(file)).toBe(false);
});

test("where --resume-file cannot be written, there is a warning, and the command has all tokens", async () => {
  const file = join(temporaryFolder(), "none/waits.txt");
  const { exitCode, stderr } = await stopAtOnce(["a", "b", "c", "d"], ["--resume-file", file]);
  expect(exitCode).toBe(130);
  expect(stderr).toMatch(/^warning: --resume-file: ENOENT/m);
  expect(stderr.match(/--resume '[abcd]=\{/g)).toHaveLength(4);
});

test("in CI no token goes to a temporary file, and the command names the package", async () => {
  const shared = temporaryFolder();
  vi.stubEnv("TMPDIR", shared);
  const { stderr } = await stopAtOnce(["a", "b", "c", "d"], [], { GITHUB_ACTIONS: "true" });
  expect(stderr).toMatch(/^ {2}npx -p lro-poller lro wait \\\n( {4}--resume '[abcd]=\{.*\}'( \\)?\n){4}$/m);
  expect(readdirSync(shared)).toEqual([]);
});

test("where no file can be written, the command has all tokens", async () => {
  vi.stubEnv("TMPDIR", join(temporaryFolder(), "none"));
  const { stderr } = await stopAtOnce(["a", "b", "c", "d"]);
  expect(stderr.match(/--resume '[abcd]=\{/g)).toHaveLength(4);
});

test("the output of -o json is a file of tokens", async () => {
  const { stdout, server, operations } = await stopAtOnce(["web", "db"], ["-o", "json"]);
  for (const { operationId: id } of operations) server.setStatus(id, "Succeeded");
  const progress = `{"event":"progress","operation":"${operationId}","status":"Running"}\n`;
  const resumed = await runCli(["wait", "--resume", "-"], { stdin: progress + stdout });
  expect(resumed.exitCode).toBe(0);
  expect(untimed(resumed.stdout)).toContain("web Succeeded\n");
  const [line = ""] = stdout.split("\n");
  expect(await runCli(["wait", "--resume", line])).toMatchObject({ exitCode: 0 });
});

test("a token as jq prints it is accepted too, and an empty text is rejected", async () => {
  const { stderr, server, operations } = await stopAtOnce(["web"]);
  for (const { operationId: id } of operations) server.setStatus(id, "Succeeded");
  const [, token = ""] = /--resume 'web=(.*)'$/m.exec(stderr) ?? [];
  const resumed = await runCli(["wait", "--resume", "-"], { stdin: JSON.stringify(token) });
  expect(resumed).toMatchObject({ exitCode: 0, stderr: "" });
  const nothing = await runCli(["wait", "--resume", "-"]);
  expect(nothing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("got an empty text") });
});

async function stopAtOnce(
  names: readonly string[],
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<StoppedRun> {
  const server = await startServer();
  const operations = names.map(() => server.addOperation({ timeline: [{ status: "Running" }] }));
  const locations = operations.map(({ operationLocation }, place) => `${names[place]}=${operationLocation}`);
  const interruption = AbortSignal.abort(new Interruption("interrupted", 130));
  const stopped = await runCli(["wait", ...options, ...locations], { interruption, env });
  return { ...stopped, server, operations };
}
