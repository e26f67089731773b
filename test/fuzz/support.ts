import fc from "fast-check";
import { TestRunner, vi } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** How many cases a test tried. */
    cases?: number;
  }
}

const requestedRuns = numberIn("FUZZ_RUNS");
/** The number of cases of each property: `FUZZ_RUNS`, or a few that take seconds. */
const runs = requestedRuns ?? 200;
/** `SEED` repeats the same cases. Without `FUZZ_RUNS` they are always the same, so that no test fails at random. */
const seed = numberIn("SEED") ?? (requestedRuns === undefined ? 1 : undefined);

function numberIn(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === "") return undefined;
  if (Number.isInteger(Number(text))) return Number(text);
  throw new RangeError(`${variable}: expected a whole number, got ${JSON.stringify(text)}`);
}

if (requestedRuns !== undefined) vi.setConfig({ testTimeout: 3_600_000 });

/**
 * Checks a property with many cases.
 *
 * @param share - the share of the cases that it gets, below 1 where each of them takes long
 * @throws Error with the seed and the smallest failing case
 */
export async function fuzz<Case>(property: fc.IRawProperty<Case>, share = 1): Promise<void> {
  const numRuns = Math.ceil(runs * share);
  const details = await fc.check(property, { numRuns, ...(seed !== undefined && { seed }) });
  const task = TestRunner.getCurrentTest();
  if (task) task.meta.cases = (task.meta.cases ?? 0) + details.numRuns;
  if (!details.failed) return;
  const repeat = `SEED=${details.seed} FUZZ_RUNS=${runs} npx vitest run ${task?.file.name ?? ""}`;
  throw new Error(`${fc.defaultReportMessage(details)}\n\nThe same cases again: ${repeat}`, {
    cause: details.errorInstance,
  });
}

/** The secret in the query of each URL. It must not show anywhere. */
export const secret = "TOPSECRET";

const runningBody = {
  id: "/projects/myProject/operationStatuses/fa067167-e49d-41bd-8dd8-de719b9de3b3",
  name: "fa067167-e49d-41bd-8dd8-de719b9de3b3",
  status: "Running",
  startTime: "2024-01-24T21:14:58.472Z",
};

/** The operation of {@link statusBodies}. */
export const operationId: string = runningBody.name;

/** Bodies that DevCenter sends or may send by its contract. */
const realBodies: readonly object[] = [
  runningBody,
  { ...runningBody, status: "NotStarted" },
  { ...runningBody, percentComplete: 42.5, resourceId: "/projects/myProject/users/me/devboxes/d" },
  {
    ...runningBody,
    status: "Succeeded",
    endTime: "2024-01-24T21:20:00.1234567+00:00",
    properties: { a: [1] },
  },
  { ...runningBody, status: "Cancelled", error: { code: "Canceled", message: "by the user" } },
  {
    ...runningBody,
    status: "Failed",
    error: {
      code: "Outer",
      message: "It failed.",
      target: "devBox",
      details: [{ code: "Inner", message: "Why.", details: [{ code: "Deep", message: "" }] }],
      innererror: { code: "A", innererror: { code: "B" } },
    },
  },
];

const urls = fc
  .constantFrom("https://host.example/x", "/operations/7", "https://dev.devcenter.azure.com/a")
  .map((url) => `${url}?t=1&sig=${secret}`);
const words = fc.constantFrom(
  "Succeeded",
  "failed",
  "CANCELLED",
  "Creating",
  "",
  " ",
  "__proto__",
  "2024-02-30T00:00:00Z",
);
const numbers = fc.oneof(fc.double(), fc.constantFrom(0, -0, -1, 100, 100.000001, 1e308));

/** Any JSON value. */
export const json: fc.Arbitrary<unknown> = fc.oneof(fc.jsonValue(), urls, words, numbers.map(orNull));

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Any JSON value, and damaged status bodies, with signed URLs in place of some strings. */
export const statusBodies: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 1, arbitrary: json },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom(...realBodies), fc.array(damage(), { maxLength: 3 })).map(damaged),
  },
);

interface Damage {
  readonly place: number;
  readonly value: unknown;
}

function damage(): fc.Arbitrary<Damage> {
  return fc.record({ place: fc.nat(40), value: fc.option(json, { nil: undefined }) });
}

function damaged([body, all]: readonly [object, readonly Damage[]]): unknown {
  return all.reduce<unknown>((whole, { place, value }) => replaced(whole, place, value), body);
}

/** Returns a copy in which another value replaces the place-th node. */
function replaced(whole: unknown, place: number, value: unknown): unknown {
  const paths = pathsOf(whole);
  const path = paths[place % Math.max(1, paths.length)];
  return path === undefined ? value : replacedAt(whole, path, value);
}

function pathsOf(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [
    [key],
    ...pathsOf(child).map((path) => [key, ...path]),
  ]);
}

function replacedAt(whole: unknown, [key = "", ...rest]: readonly string[], value: unknown): unknown {
  if (typeof whole !== "object" || whole === null) return value;
  const entries = Object.entries(whole).map(([name, child]): [string, unknown] => [
    name,
    name === key ? (rest.length === 0 ? value : replacedAt(child, rest, value)) : child,
  ]);
  const kept = entries.filter(([, child]) => child !== undefined);
  return Array.isArray(whole) ? kept.map(([, child]) => child) : Object.fromEntries(kept);
}
