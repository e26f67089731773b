import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as library from "lro-poller";
import type { PollOptions } from "lro-poller";
import type { AddOperationOptions, Fault, OperationServerOptions, Phase } from "lro-poller/testing";
import type { AddOptions, OperationQueueOptions, OperationWorkerOptions } from "lro-poller/bullmq";

/** Returns the words in code type at the start of each first cell of a table, links included. */
function firstCells(page: string, heading: string): string[] {
  const section =
    readFileSync(page, "utf8")
      .split(/^##+ /m)
      .find((text) => text.startsWith(heading)) ?? "";
  return [...section.matchAll(/^\| \[?`(\w+)`/gm)].map(([, word = ""]) => word);
}

/** Each option of a wait, with the file of its default. The compiler rejects this list when one is missing. */
const pollOptions: Record<keyof Required<PollOptions>, string | undefined> = {
  abortSignal: undefined,
  onProgress: undefined,
  onFailedPoll: undefined,
  timeoutInMs: undefined,
  stallTimeoutInMs: undefined,
  requestTimeoutInMs: "src/poller/options.ts",
  outageToleranceInMs: "src/poller/options.ts",
  notFoundGraceInMs: "src/poller/options.ts",
  maxRetryDelayInMs: "src/poller/options.ts",
  pollCostInMs: "src/schedule/adaptive.ts",
  minDelayInMs: "src/schedule/adaptive.ts",
  maxDelayInMs: "src/schedule/adaptive.ts",
  pastDurationsInMs: undefined,
  schedule: undefined,
  terminalStates: undefined,
  tracingOptions: undefined,
  clock: undefined,
  random: undefined,
};

/** Each option of a queue and of its workers, in the page's order. */
const queueOptions: Record<
  keyof Required<OperationQueueOptions & AddOptions & OperationWorkerOptions>,
  string | undefined
> = {
  connection: undefined,
  queueName: undefined,
  prefix: undefined,
  logger: undefined,
  telemetry: undefined,
  keepResultsInMs: "src/bullmq/queue.ts",
  timeoutInMs: undefined,
  stallTimeoutInMs: undefined,
  requestTimeoutInMs: pollOptions.requestTimeoutInMs,
  outageToleranceInMs: pollOptions.outageToleranceInMs,
  notFoundGraceInMs: pollOptions.notFoundGraceInMs,
  maxRetryDelayInMs: pollOptions.maxRetryDelayInMs,
  pollCostInMs: pollOptions.pollCostInMs,
  minDelayInMs: pollOptions.minDelayInMs,
  maxDelayInMs: pollOptions.maxDelayInMs,
  pastDurationsInMs: undefined,
  terminalStates: undefined,
  clients: undefined,
  resolveOperation: undefined,
  unclaimedTimeoutInMs: "src/durable/stepper.ts",
  concurrency: "src/bullmq/worker.ts",
  lockDurationInMs: "src/bullmq/worker.ts",
  stalledIntervalInMs: "src/bullmq/worker.ts",
  metrics: undefined,
};

/** Returns the different defaults of an option in a file: there is one, however often it is repeated. */
function defaultsIn(file: string, pattern: string): string[] {
  const found = readFileSync(file, "utf8").matchAll(new RegExp(pattern, "gm"));
  return [...new Set(Array.from(found, ([, value = ""]) => value.replaceAll(/[ _]/g, "")))];
}

describe("the page of options", () => {
  test("has a row for each option of a wait, and of a queue", () => {
    expect(firstCells("docs/options.md", "A wait")).toEqual(Object.keys(pollOptions));
    expect(firstCells("docs/options.md", "A queue")).toEqual(Object.keys(queueOptions));
  });

  const withNumbers = Object.entries({ ...pollOptions, ...queueOptions }).filter(
    ([, file]) => file !== undefined,
  );
  test.each(withNumbers)("has the default of %s", (name, file = "") => {
    // Only where the options are destructured: a check may have a placeholder, which is no default.
    const defaults = defaultsIn(file, `const \\{[^}]*\\b${name} = (\\w+)[^}]*\\} = options;`);
    // A default that other files need too has a name.
    const inCode = defaults.flatMap((value) =>
      /^\d/.test(value) ? [value] : defaultsIn(file, `const ${value} = ([\\d_]+);`),
    );
    expect(inCode).toHaveLength(1);
    expect(defaultsIn("docs/options.md", `^\\| \`${name}\` \\| ([\\d ]+) \\|`)).toEqual(inCode);
  });
});

describe("the page of errors", () => {
  test("has a row for each class", () => {
    const classes = Object.keys(library).filter((name) => name.endsWith("Error") && name !== "LroError");
    expect(firstCells("docs/errors.md", "# Errors").toSorted()).toEqual(classes.toSorted());
  });

  test("has no code that the library does not use", () => {
    const files = globSync("src/**/*.ts");
    const source = files.map((file) => readFileSync(file, "utf8")).join("\n");
    const codes = firstCells("docs/errors.md", "Codes");
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => !source.includes(`"${code}"`))).toEqual([]);
  });
});

describe("the page of the test kit", () => {
  /** The rows of each table. The compiler rejects a list when one is missing, or is too many. */
  const tables: Readonly<Record<string, Readonly<Record<string, true>>>> = {
    "Server options": {
      style: true,
      port: true,
      tls: true,
      speed: true,
      clock: true,
      requestsPerMinute: true,
      rateLimitRetryAfter: true,
      requireAuthorization: true,
      onInitialRequest: true,
      deployments: true,
    } satisfies Record<keyof OperationServerOptions, true>,
    Plans: {
      timeline: true,
      retryAfter: true,
      startsAtFirstPoll: true,
      faults: true,
      resourceFaults: true,
      projectName: true,
      operationId: true,
    } satisfies Record<keyof AddOperationOptions, true>,
    Phases: {
      status: true,
      durationInMs: true,
      polls: true,
      percentComplete: true,
      properties: true,
      result: true,
      error: true,
    } satisfies Record<keyof Phase, true>,
    Faults: {
      status: true,
      body: true,
      unauthorized: true,
      redirect: true,
      otherOperation: true,
      stale: true,
      reset: true,
      hang: true,
      slow: true,
      late: true,
      long: true,
      headers: true,
    } satisfies Record<Fault["kind"], true>,
  };

  test.each(Object.keys(tables))("has a row for each of: %s", (heading) => {
    const rows = firstCells("docs/testing.md", heading).filter((word) => word !== "kind");
    expect(rows).toEqual(Object.keys(tables[heading] ?? {}));
  });
});
