import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, expect, test } from "vitest";
import { OperationFailedError } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { AddOperationOptions, OperationServer } from "lro-poller/testing";
import { Interruption } from "../../../src/cli/input/context.ts";
import { createJsonReporter } from "../../../src/cli/output/json-reporter.ts";
import { ResultPrinter } from "../../../src/cli/output/result-printer.ts";
import { CapturedOutput, contextOf, runCli, succeeding } from "../run-cli.ts";
import { failedParts, progressWith, statusWith } from "./some-parts.ts";
import { addCancelable } from "../cancelable.ts";

interface Property {
  readonly $ref?: string;
  readonly items?: Property;
}

interface Definition {
  readonly properties?: Readonly<Record<string, Property>>;
}

interface Schema {
  readonly $defs: Readonly<Record<string, Definition>>;
}

const text = readFileSync("docs/events.schema.json", "utf8");
const schema: Schema = JSON.parse(text);
/** Allows no field that the page does not describe: users ignore those of later versions, this test must not. */
const closed: Schema = JSON.parse(
  text.replaceAll('"type": "object",', '"type": "object", "additionalProperties": false,'),
);
const ajv = new Ajv2020({ allErrors: true, strict: true });
const isEvent = ajv.compile<object>(closed);

interface PrintedEvent {
  readonly event: string;
}

const events: PrintedEvent[] = [];
const exitCodes: number[] = [];

const additionalInfo = [{ type: "PolicyViolation", info: { policyDefinitionName: "no-public-ip" } }];
const quota = { code: "Quota", message: "No cores.", target: "vm", details: [{ code: "Q", message: "q" }] };
const innererror = { code: "Allocation", innererror: { ...quota, additionalInfo } };
const detail = {
  code: "NoCapacity",
  message: "No cores left.",
  target: "westeurope",
  innererror,
  additionalInfo,
};
const error = {
  code: "ProvisioningFailed",
  message: "The dev box could not be created.",
  target: "myBox",
  details: [{ ...detail, details: [detail] }],
  innererror,
  additionalInfo,
};

/** Runs that print every kind of event, and end in every way. */
function runsOn(server: OperationServer): { argv: string[]; interruption?: AbortSignal }[] {
  const at = (options: AddOperationOptions): string => server.addOperation(options).operationLocation;
  const success = at({ timeline: succeeding });
  const failure = at({
    timeline: [
      { status: "Running", polls: 1 },
      { status: "Failed", error },
    ],
  });
  const bareFailure = at({ timeline: [{ status: "Failed" }] });
  const canceled = at({ timeline: [{ status: "Canceled" }] });
  const endless = at({ timeline: [{ status: "Preparing" }] });
  const missing = endless.replace(/[\da-f]{12}(?=\?)/, "0".repeat(12));
  const flaky = at({
    timeline: succeeding,
    faults: {
      1: { kind: "reset" },
      3: { kind: "body", text: "<html>" },
      5: { kind: "status", status: 503, retryAfter: 3 },
    },
  });
  const rejected = at({ faults: { 1: { kind: "unauthorized" } } });
  return [
    { argv: [`my box=${success}`, `db=${failure}`, bareFailure] },
    { argv: [`flaky=${flaky}`] },
    { argv: [canceled, missing] },
    { argv: [rejected] },
    { argv: ["--timeout", "60s", endless] },
    { argv: ["--stall-timeout", "60s", endless] },
    { argv: [endless], interruption: AbortSignal.abort(new Interruption("interrupted", 130)) },
    { argv: ["--quiet", success] },
    { argv: ["--timeout", "60s", "--on-timeout", "cancel", endless] },
  ];
}

/** The events of two deployments, with every field of a part. */
function eventsOfDeployments(): PrintedEvent[] {
  const names = [
    { id: "web", name: "web" },
    { id: "db", name: "db" },
  ];
  const stdout = new CapturedOutput();
  const context = contextOf({ stdout });
  const reporter = createJsonReporter(names, {}, new ResultPrinter(names, context), context);
  const figures = {
    partsDone: 4,
    partsSeen: 5,
    partsTotal: 20,
    totalIsKnown: false,
    percentageKind: "shareOfParts",
  } as const;
  for (const index of names.keys()) reporter.progress(index, progressWith(failedParts, figures));
  reporter.ended(0, { type: "succeeded", result: {} });
  const operation = statusWith(failedParts, { status: "Failed", error });
  reporter.ended(1, { type: "error", error: new OperationFailedError({ operation }) });
  const printed: PrintedEvent[] = stdout.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  return printed;
}

function cancelsOn(server: OperationServer): { argv: string[] }[] {
  const timeline = [{ status: "Running" }];
  return [false, true].map((isRefused) => {
    const { token } = addCancelable(server, timeline, isRefused);
    return { argv: ["--timeout", "60s", "--on-timeout", "cancel", "--resume", `my job=${token}`] };
  });
}

beforeAll(async () => {
  await using server = await startOperationServer();
  await using other = await startOperationServer({ style: "operation-location" });
  const runs = await Promise.all(
    [...runsOn(server), ...cancelsOn(other)].map(({ argv, ...world }) =>
      runCli(["wait", "-o", "json", ...argv], world),
    ),
  );
  for (const { exitCode, stdout } of runs) {
    exitCodes.push(exitCode);
    for (const line of stdout.trimEnd().split("\n")) events.push(JSON.parse(line));
  }
  events.push(...eventsOfDeployments());
});

test("the runs end in each way", () => {
  expect(exitCodes).toEqual([1, 0, 3, 5, 4, 4, 130, 0, 4, 3, 4]);
});

test("docs/events.schema.json describes every event, and every field of it", () => {
  const wrong = events.flatMap((event) =>
    isEvent(event)
      ? []
      : [{ event, errors: isEvent.errors?.filter(({ params }) => !("allowedValue" in params)) }],
  );
  expect(wrong).toEqual([]);
});

/** Returns `definition.field` for each field in a value that a definition describes, at every level. */
function fieldsIn(value: unknown, definition: string | undefined): string[] {
  if (definition === undefined) return [];
  const values: object[] = [value].flat().filter((one) => typeof one === "object" && one !== null);
  const properties = Object.entries(schema.$defs[definition]?.properties ?? {});
  return values.flatMap((one) =>
    properties
      .filter(([field]) => field in one)
      .flatMap(([field, { $ref, items }]) => {
        const target = ($ref ?? items?.$ref)?.replace("#/$defs/", "");
        return [`${definition}.${field}`, ...fieldsIn(new Map(Object.entries(one)).get(field), target)];
      }),
  );
}

test("docs/events.schema.json describes no event and no field that is never printed", () => {
  const printed = new Set(events.flatMap((event) => fieldsIn(event, event.event)));
  const described = Object.entries(schema.$defs).flatMap(([name, { properties = {} }]) =>
    Object.keys(properties).map((field) => `${name}.${field}`),
  );
  expect(described.filter((field) => !printed.has(field))).toEqual([]);
});

test("docs/events.schema.json accepts no other event, and no event without one of its first two fields", () => {
  for (const event of events) {
    expect(isEvent({ ...event, event: "other" })).toBe(false);
    const [first = "", second = ""] = Object.keys(event);
    for (const field of [first, second]) expect(isEvent({ ...event, [field]: undefined })).toBe(false);
  }
});
