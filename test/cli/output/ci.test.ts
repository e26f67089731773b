import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Timeline } from "lro-poller/testing";
import { failing, runCli, startServer, succeeding, temporaryFolder, untimed } from "../run-cli.ts";

const gitHub = { GITHUB_ACTIONS: "true" };
const azure = { TF_BUILD: "True" };

/** Texts that both systems would take for commands, wherever a line may start. */
const commands =
  "::add-mask::x\n  ::set-output name=a::b\n##[add-path]/evil\n##vso[task.setvariable variable=a]b";
const hostile = { code: "Bad]code;a=b", message: `100 % bad, see: this\n${commands}`, target: "a,b:c" };

/** The lines that a runner would execute. */
function commandsIn(text: string): string[] {
  return text.split("\n").filter((line) => /^\s*::.*::|##\[|##vso\[/i.test(line));
}

async function waitFor(
  timelines: Readonly<Record<string, typeof succeeding>>,
  env: Record<string, string>,
  ...argv: string[]
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const server = await startServer();
  const locations = Object.entries(timelines).map(
    ([name, timeline]) => `${name}=${server.addOperation({ timeline }).operationLocation}`,
  );
  return runCli(["wait", ...argv, ...locations], { env, columns: 80 });
}

test("GitHub Actions gets a group, the result, and a notice, and nothing is redrawn", async () => {
  const { exitCode, stdout, stderr } = await waitFor({ web: succeeding }, gitHub);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(untimed(stdout).replace(/after .*/, "after …")).toBe(`::group::Waiting for web
web NotStarted
web Running 42 %
web Succeeded 100 %
::endgroup::
{
  "uri": "https://box"
}
::notice title=lro wait::web: Succeeded, after …
`);
});

test("GitHub Actions gets each error as an annotation on one line", async () => {
  const { exitCode, stdout, stderr } = await waitFor({ web: succeeding, db: failing }, gitHub);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /^::error title=db%3A NoCapacity::Operation db \(.{36}\) failed\. NoCapacity: No cores.*%0A {2}ProvisioningFailed: The dev box.*%0A {4}- NoCapacity: .*%0ARequest id: .{36}\n$/,
  );
  expect(stdout).toMatch(/\n::notice title=lro wait::2 operations: 1 Succeeded, 1 Failed, after \d+:\d\d\n$/);
});

test("Azure Pipelines gets its own commands", async () => {
  const { stdout, stderr } = await waitFor({ web: succeeding, db: failing }, azure);
  expect(stdout).toMatch(/^##\[group\]Waiting for 2 operations\n/);
  expect(stdout).toMatch(/\n##\[endgroup\]\nweb result:\n\{/);
  expect(stdout).toMatch(/\n##\[section\]lro wait: 2 operations: 1 Succeeded, 1 Failed, after \d+:\d\d\n$/);
  expect(stderr).toMatch(/^##vso\[task\.logissue type=error\]Operation db \(.*%0A {4}- NoCapacity: .*\n$/);
});

test.each([
  ["GitHub Actions", gitHub, /^::error title=db%3A Bad]code;a=b::Operation db .*100 %25 bad, see: this%0A/],
  [
    "Azure Pipelines",
    azure,
    /^##vso\[task\.logissue type=error\]Operation db .*100 %AZP25 bad, see: this%0A/,
  ],
])("service text cannot inject a command of %s", async (_system, env, annotation) => {
  const timeline = [
    { status: commands, polls: 1 },
    { status: "Failed", error: hostile },
  ];
  const { stdout, stderr } = await waitFor({ db: timeline }, env);
  expect(commandsIn(stderr)).toEqual([expect.stringMatching(annotation)]);
  expect(commandsIn(stderr)[0]).not.toMatch(/.##vso\[|##\[add-path/);
  expect(commandsIn(stdout).map((line) => line.slice(0, 9))).toEqual(
    env === gitHub ? ["::group::", "::endgrou", "::notice "] : ["##[group]", "##[endgro", "##[sectio"],
  );
});

test.each([
  ["status", ["status"]],
  ["wait --quiet", ["wait", "--quiet"]],
  ["wait -o json", ["wait", "-o", "json"]],
])("lro %s escapes commands, and keeps the data of JSON", async (_name, argv) => {
  const server = await startServer();
  const properties = { commands };
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Succeeded", properties }] });
  const failed = server.addOperation({ timeline: [{ status: "Failed", error: hostile }] }).operationLocation;
  for (const env of [gitHub, azure]) {
    const { stdout } = await runCli([...argv, operationLocation], { env });
    expect(commandsIn(stdout)).toEqual([]);
    const [json = ""] = argv.includes("json")
      ? stdout.split("\n").slice(-3)
      : (/^\{.*^\}/ms.exec(stdout) ?? []);
    const data: unknown = JSON.parse(json);
    expect(argv.includes("json") ? data : { result: data }).toMatchObject({ result: properties });
    expect(commandsIn((await runCli([...argv, failed], { env })).stdout)).toEqual([]);
  }
});

test("a rejected argument cannot inject a command either", async () => {
  for (const env of [gitHub, azure]) {
    for (const argv of [
      ["wait", "##vso[task.complete result=Succeeded]"],
      ["wait", "--timeout", `1\n${commands}`],
    ]) {
      const { exitCode, stderr } = await runCli(argv, { env });
      expect(exitCode).toBe(2);
      expect(commandsIn(stderr)).toEqual([]);
    }
  }
});

test("GitHub Actions gets a table after the existing summary", async () => {
  const file = join(temporaryFolder(), "summary.md");
  writeFileSync(file, "# Before\n");
  const env = { ...gitHub, GITHUB_STEP_SUMMARY: file };
  await waitFor({ web: succeeding, db: failing }, env, "--summary");
  expect(decoded(readFileSync(file, "utf8")).replaceAll(/\d+:\d\d(?= )/g, "m:ss")).toMatch(
    new RegExp(
      String.raw`^# Before
### lro wait: 1 Succeeded, 1 Failed

\| Operation \| State \| Time \| Error \|
\|---\|---\|---:\|---\|
\| web \| Succeeded \| m:ss \|  \|
\| db \| Failed \| m:ss \| Operation .{36} failed. NoCapacity: .* ProvisioningFailed: .* - NoCapacity: .* Request id: .{36} \|

$`,
    ),
  );
});

/** As Markdown shows it: `&#35;` is `#`. */
function decoded(markdown: string): string {
  return markdown.replaceAll(/&#(\d+);/g, (_entity, code) => String.fromCharCode(Number(code)));
}

test("Azure Pipelines gets a command with the summary's file", async () => {
  const { stdout, command } = await summaryCommandOf([]);
  expect(stdout).toContain(`\n${command}\n`);
});

test("with -o json the command of the summary is not among the events", async () => {
  const { stdout, stderr, command } = await summaryCommandOf(["-o", "json"]);
  expect(stderr).toBe(`${command}\n`);
  expect(stdout).not.toContain("##vso");
  expect(stdout).toMatch(/\n\{"event":"summary",.*\}\n$/);
});

async function summaryCommandOf(argv: string[]) {
  const folder = temporaryFolder();
  const env = { ...azure, AGENT_TEMPDIRECTORY: folder };
  const outputs = await waitFor({ web: succeeding }, env, "--summary", ...argv);
  const [made = ""] = readdirSync(folder);
  const file = join(folder, made, "lro wait.md");
  expect(readFileSync(file, "utf8")).toContain("| web | Succeeded |");
  return { ...outputs, command: `##vso[task.uploadsummary]${file}` };
}

test("service text cannot inject Markdown, and the summary has no signature or result", async () => {
  const file = join(temporaryFolder(), "summary.md");
  const message = `a|b\n\n| c |\n# d <img src=x onerror=e> [f](https://g) \`h\` @i **j** &lt; \\| https://k/?sig=TOPSECRET`;
  const timelines = {
    web: [{ status: "Failed", error: { code: "X", message } }],
    db: [{ status: "Succeeded", properties: "TOPSECRET" }],
  };
  await waitFor(timelines, { ...gitHub, GITHUB_STEP_SUMMARY: file }, "--summary");
  const markdown = readFileSync(file, "utf8");
  expect(markdown).not.toContain("TOPSECRET");
  const rows = markdown.trimEnd().split("\n").slice(4);
  expect(rows).toHaveLength(2);
  const cells = rows.map((row) => row.slice(2, -2).split(" | "));
  expect(cells.map(({ length }) => length)).toEqual([4, 4]);
  expect(
    cells
      .flat()
      .join("")
      .replaceAll(/&#\d+;/g, ""),
  ).not.toMatch(/[^\p{L}\p{N} ,%()→…-]/u);
  expect(decoded(rows[0] ?? "")).toContain(
    "a|b | c | # d <img src=x onerror=e> [f](https://g) `h` @i **j** &lt; \\| ",
  );
});

test("a summary is never longer than GitHub Actions accepts, and counts the rows that it leaves out", async () => {
  const file = join(temporaryFolder(), "summary.md");
  const timeline = [{ status: "Failed", error: { code: "X", message: "!".repeat(1000) } }];
  const timelines = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`op ${index}`, timeline]));
  await waitFor(timelines, { ...gitHub, GITHUB_STEP_SUMMARY: file }, "--summary", "-q");
  const markdown = readFileSync(file, "utf8");
  expect(Buffer.byteLength(markdown)).toBeLessThan(1_048_576);
  const [, rest = ""] = /\n\n(\d+) more operations are in the log\.\n/.exec(markdown) ?? [];
  expect(markdown.match(/^\| op/gm)?.length).toBe(900 - Number(rest));
});

test.each([
  [{}, "neither GitHub Actions nor Azure Pipelines"],
  [gitHub, "GITHUB_STEP_SUMMARY is not set"],
  [{ ...gitHub, GITHUB_STEP_SUMMARY: "/no/such/folder/summary.md" }, "ENOENT"],
])("with %j a summary is a warning, and the wait continues", async (env: Record<string, string>, why) => {
  const { exitCode, stderr } = await waitFor({ web: succeeding }, env, "--summary", "-q");
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(new RegExp(`^warning: --summary: .*${why}`));
});

test.each([
  ["--timeout", "PollingTimeout", "timed out"],
  ["--stall-timeout", "Stalled", "stalled"],
])(
  "a wait that %s ends before its operation is an error too, with its resume command",
  async (option, code, note) => {
    const waits = { web: [{ status: "Running" }] };
    const { exitCode, stdout, stderr } = await waitFor(waits, gitHub, option, "10m");
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(
      new RegExp(
        `^::error title=web%3A ${code}::.*still Running.*\nTo continue waiting:\n {2}npx -p lro-poller lro wait`,
      ),
    );
    expect(stdout).toMatch(new RegExp(`::notice title=lro wait::web: ${note}, after`));
  },
);

/** Reads a file of outputs as the runner of GitHub Actions does. */
function outputsIn(file: string): Record<string, string> {
  const lines = readFileSync(file, "utf8").split("\n");
  const outputs: [string, string][] = [];
  while (lines.length > 1) {
    const [, name = "", delimiter = ""] = /^(.*?)<<(.*)$/.exec(lines.shift() ?? "") ?? [];
    const value = lines.splice(0, lines.indexOf(delimiter));
    lines.shift();
    outputs.push([name, value.join("\n")]);
  }
  return Object.fromEntries(outputs);
}

/** Returns the variables that Azure Pipelines sets. */
function variablesIn(text: string): Record<string, string> {
  const set = text.matchAll(/^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$/gm);
  const decode = (value: string): string => value.replaceAll("%0A", "\n").replaceAll("%AZP25", "%");
  return Object.fromEntries(Array.from(set, ([, name, value = ""]) => [name, decode(value)]));
}

describe("--step-outputs", () => {
  const properties = { text: `a\nstatus=Failed\nresult<<x\n${commands}`, rate: "100 %0A" };
  const stopped = [{ status: "Running" }];

  async function outputsOf(timelines: Readonly<Record<string, Timeline>>, ...argv: string[]) {
    const file = join(temporaryFolder(), "outputs");
    writeFileSync(file, "");
    await waitFor(timelines, { ...gitHub, GITHUB_OUTPUT: file }, "--step-outputs", ...argv);
    const { stdout, stderr } = await waitFor(timelines, azure, "--step-outputs", ...argv);
    return { file, gitHub: outputsIn(file), azure: variablesIn(stdout), stdout, stderr };
  }

  test("sets the status and the result, in which no text is another output", async () => {
    const outputs = await outputsOf({ web: [{ status: "Succeeded", properties }] });
    for (const { result = "", ...rest } of [outputs.gitHub, outputs.azure]) {
      expect(rest).toEqual({ status: "Succeeded" });
      expect(JSON.parse(result)).toEqual(properties);
      expect(result).not.toContain("\n");
    }
  });

  test("a status of the service cannot add an output or a command", async () => {
    const outputs = await outputsOf(
      { web: [{ status: `Odd\nresult=1\n${commands}` }] },
      "--stall-timeout",
      "10m",
    );
    expect(Object.keys(outputs.gitHub)).toEqual(["status", "resume-token"]);
    expect(Object.keys(outputs.azure)).toEqual(["status", "resumeToken"]);
    expect(outputs.gitHub["status"]).toMatch(/^Odd result=1 /);
    const ours = commandsIn(outputs.stdout).filter((line) => !/^##\[(end)?group|^##\[section/.test(line));
    expect(ours.map((line) => line.replace(/(?<=\]).*/, ""))).toEqual([
      "##vso[task.setvariable variable=status;isOutput=true]",
      "##vso[task.setvariable variable=resumeToken;isOutput=true]",
    ]);
  });

  test("each value has a delimiter of its own", async () => {
    const { file } = await outputsOf({ web: succeeding });
    const delimiters = Array.from(readFileSync(file, "utf8").matchAll(/<<(.{36})$/gm), ([, found]) => found);
    expect(new Set(delimiters).size).toBe(2);
  });

  test("of several operations they are JSON objects by name, and tokens that --resume takes", async () => {
    const timelines = { web: succeeding, db: failing, api: stopped, dns: stopped };
    const outputs = await outputsOf(timelines, "--stall-timeout", "10m");
    expect(JSON.parse(outputs.gitHub["status"] ?? "")).toEqual({
      web: "Succeeded",
      db: "Failed",
      api: "Running",
      dns: "Running",
    });
    expect(JSON.parse(outputs.gitHub["result"] ?? "")).toEqual({ web: { uri: "https://box" } });
    for (const tokens of [outputs.gitHub["resume-token"], outputs.azure["resumeToken"]])
      expect(tokens?.split("\n").toSorted()).toEqual([
        expect.stringMatching(/^api=\{.*\}$/),
        expect.stringMatching(/^dns=\{.*\}$/),
      ]);
  });

  test("with -o json no command is among the events", async () => {
    const {
      gitHub: set,
      stdout,
      stderr,
    } = await outputsOf({ web: stopped }, "--stall-timeout", "10m", "-o", "json");
    expect(set["resume-token"]).toMatch(/^web=\{/);
    expect(stdout).not.toContain("##vso");
    expect(variablesIn(stderr)).toMatchObject({ status: "Running" });
  });

  test.each([
    [{}, "neither GitHub Actions nor Azure Pipelines"],
    [gitHub, "GITHUB_OUTPUT is not set"],
    [{ ...gitHub, GITHUB_OUTPUT: "/no/such/folder/outputs" }, "ENOENT"],
  ])("with %j they are a warning, and the wait continues", async (env: Record<string, string>, why) => {
    const { exitCode, stderr } = await waitFor({ web: succeeding }, env, "--step-outputs", "-q");
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(new RegExp(`^warning: --step-outputs: .*${why}`));
  });
});

test("the summary has the command that continues, which no text of it can leave", async () => {
  const file = join(temporaryFolder(), "summary.md");
  const timelines = { web: [{ status: "Running" }], db: [{ status: "Running" }] };
  const env = { ...gitHub, GITHUB_STEP_SUMMARY: file };
  await waitFor(timelines, env, "--summary", "--timeout", "1m", "--failed-state", "</pre>`");
  const [, command = ""] = /\n<pre>([^<]*)<\/pre>\n$/.exec(readFileSync(file, "utf8")) ?? [];
  expect(decoded(command)).toMatch(
    /^npx -p lro-poller lro wait --timeout 1m --failed-state '<\/pre>`' --summary \\\n {4}--resume 'web=\{/,
  );
  expect(command).not.toMatch(/[<>`{]/);
});
