import fc from "fast-check";
import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import { clockText, durationText, parseDuration, secondsText } from "../../src/cli/input/duration.ts";
import { Interruption } from "../../src/cli/input/context.ts";
import { exitCodes } from "../../src/cli/output/exit-codes.ts";
import { runCli } from "../cli/run-cli.ts";
import { fuzz, operationId, secret } from "./support.ts";

const endpoint = "https://contoso.devcenter.azure.com";
const location = `${endpoint}/projects/myProject/operationstatuses/${operationId}`;

const flags = fc.constantFrom(
  "--from",
  "--resume",
  "--timeout",
  "--poll-cost",
  "--kind",
  "--endpoint",
  "--project",
  "--operation",
  "--api-version",
  "--allow-host",
  "-o",
  "--output",
  "-q",
  "--quiet",
  "--port",
  "--speed",
  "--scenario",
  "-v",
  "--nonsense",
  "--",
  "-",
);
const values = fc.oneof(
  fc.constantFrom(
    "wait",
    "status",
    "json",
    "text",
    "5s",
    "0",
    "-1",
    "1e999",
    "",
    " ",
    endpoint,
    location,
    `name=${location}?sig=${secret}`,
    `htps://x.example/?sig=${secret}`,
    `https://evil.example/projects/p/operationstatuses/x?sig=${secret}`,
    `https://me:${secret}@evil.example/projects/p/operationstatuses/x`,
    "myProject",
    operationId,
    "{}",
    "%",
    "/no/such/file",
    "..",
  ),
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.webUrl({ withQueryParameters: true }),
);
const commandLines = fc
  .tuple(
    fc.oneof({ weight: 8, arbitrary: fc.constantFrom("wait", "status", "help") }, fc.string()),
    fc.array(fc.oneof(flags, values), { maxLength: 6 }),
  )
  .map(([command, rest]) => [command, ...rest]);

/** Interrupted before it starts, so that no request is sent. */
const interrupted = AbortSignal.abort(new Interruption("interrupted", exitCodes.interrupted));

describe("the command line", () => {
  test("is accepted, or rejected with one line, exit code 2 and nothing on stdout", () =>
    fuzz(
      fc.asyncProperty(commandLines, async (argv) => {
        const { exitCode, stdout, stderr } = await runCli(argv, { interruption: interrupted });
        expect([exitCodes.succeeded, exitCodes.usage, exitCodes.interrupted]).toContain(exitCode);
        expect(stderr).not.toMatch(/\n\s+at /);
        expect(stdout + stderr).not.toContain(secret);
        if (exitCode !== exitCodes.usage) return;
        expect(stdout).toBe("");
        expect(stderr).toMatch(/^(error: .+\n|Usage: lro )/);
        expect(stderr.match(/^error: /gm) ?? []).toHaveLength(stderr.startsWith("Usage") ? 0 : 1);
      }),
      0.2,
    ));

  test("does not let an argument move the cursor of a terminal", () =>
    fuzz(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.boolean(), async (text, isFirst) => {
        const argv = isFirst ? [`x${text}`] : ["wait", `x${text}`];
        const { stderr } = await runCli(argv, { interruption: interrupted });
        expect(stderr).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}]/u);
      }),
      0.2,
    ));
});

const durations = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.tuple(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.constantFrom("ms", "s", "m", "h", "d", "", " ", "x"),
      ),
    )
    .map((parts) => parts.map(([amount, unit]) => `${amount}${unit}`).join("")),
  fc.double().map(String),
);

describe("a duration", () => {
  test("is finite and above zero, or rejected with an InvalidArgumentError", () =>
    fuzz(
      fc.property(durations, (text) => {
        try {
          const durationInMs = parseDuration(text);
          expect(durationInMs).toBeGreaterThan(0);
          expect(durationInMs).toBeLessThan(Infinity);
          expect(parseDuration(`  ${text.toUpperCase()} `)).toBe(durationInMs);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentError);
        }
      }),
    ));

  test("is the same after formatting and parsing", () =>
    fuzz(
      fc.property(fc.integer({ min: 1, max: 1e12 }), (durationInMs) => {
        expect(parseDuration(durationText(durationInMs))).toBe(durationInMs);
      }),
    ));

  test("has a short text for every value", () =>
    fuzz(
      fc.property(fc.double({ min: -1e12, max: 1e15, noNaN: true }), (durationInMs) => {
        expect(clockText(durationInMs)).toMatch(/^(\d+:)?\d{1,2}:\d\d$/);
        expect(secondsText(durationInMs)).toMatch(/^\d+ s$/);
      }),
    ));
});
