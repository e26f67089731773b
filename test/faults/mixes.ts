import type { OperationState } from "lro-poller";
import type { Fault, Faults, InitialRequestFault, Phase, Timeline } from "lro-poller/testing";

/** An operation and its faults. */
export interface Mix {
  readonly operationId: string;
  /** Whether the wait starts the operation, whose result is then a dev box. Another client has started it otherwise. */
  readonly isCreation: boolean;
  /** The faults of its initial request, one after the other. */
  readonly startFaults: readonly InitialRequestFault[];
  /** Whether its server sends no rate headers, and 429s without a Retry-After. */
  readonly isThrottled: boolean;
  /** The wait's timeouts. A wait that is over goes on. Default: none. */
  readonly timeoutInMs?: number;
  readonly stallTimeoutInMs?: number;
  readonly timeline: Timeline;
  readonly retryAfter?: number;
  readonly faults: Faults;
  readonly resourceFaults: Faults;
}

type Random = () => number;

export function mixOf(random: Random): Mix {
  const worst = random() * 0.6;
  const isCreation = random() < 0.3;
  const faults = { ...scattered(random, 12, worst), ...outage(random), ...lagging(random) };
  return {
    operationId: uuid(random),
    isCreation,
    startFaults: isCreation ? startFaults(random) : [],
    // The waits of the busy server share a client: one that is told to wait for a day stops all of them.
    isThrottled: !JSON.stringify(faults).match(absurdInJson) && random() < 0.2,
    ...(random() < 0.2 && { timeoutInMs: between(random, 10, 600) * 1000 }),
    ...(random() < 0.1 && { stallTimeoutInMs: between(random, 5, 120) * 1000 }),
    timeline: timelineOf(random),
    ...(random() < 0.2 && { retryAfter: between(random, 1, 15) }),
    // A client that did not choose the operation's id cannot know that a status is another operation's.
    faults: isCreation ? without("otherOperation", faults) : faults,
    // An old state of the resource, or another resource, is JSON like any other.
    resourceFaults: without("stale", without("otherOperation", scattered(random, 3, worst))),
  };
}

/** Faults that leave the start to its repetitions: at most three, and none longer than its time limit. */
function startFaults(random: Random): readonly InitialRequestFault[] {
  const any: readonly (() => InitialRequestFault)[] = [
    () => ({ kind: "late", delayInMs: between(random, 1, 100) * 1000 }),
    () => ({ kind: "status", status: 429, retryAfter: between(random, 1, 400) }),
    () => ({ kind: "status", status: pick(random, [500, 503]) }),
    () => ({ kind: "reset", when: pick(random, ["beforeHeaders", "afterBody"] as const) }),
  ];
  return Array.from({ length: between(random, 0, 3) }, () => pick(random, any)());
}

function timelineOf(random: Random): Timeline {
  const notStarted: Phase = { status: "NotStarted", ...duration(random, 10) };
  const running = Array.from({ length: between(random, 0, 3) }, () => runningPhase(random));
  return [...(random() < 0.5 ? [notStarted] : []), ...running, lastPhase(random)];
}

function runningPhase(random: Random): Phase {
  const from = between(random, 0, 100);
  const to = random() < 0.8 ? between(random, from, 100) : between(random, 0, from);
  const percents = [{ percentComplete: from }, { percentComplete: { from, to } }];
  const percent = pick(random, [{}, ...percents, { percentComplete: { from, to, step: 10 } }]);
  const status: OperationState = random() < 0.1 ? "Provisioning" : "Running";
  return { status, ...duration(random, 60), ...percent };
}

function duration(random: Random, maxSeconds: number): Pick<Phase, "durationInMs" | "polls"> {
  return random() < 0.3
    ? { polls: between(random, 1, 4) }
    : { durationInMs: between(random, 100, maxSeconds * 1000) };
}

function lastPhase(random: Random): Phase {
  const mark = uuid(random);
  const error = { code: "Broken", message: mark, details: [{ code: "Inner", message: mark }] };
  const succeeded: Phase = { status: "Succeeded", percentComplete: 100, properties: { mark } };
  return pick(random, [
    succeeded,
    succeeded,
    succeeded,
    { status: "Failed", error },
    { status: "Canceled", error },
  ]);
}

function scattered(random: Random, polls: number, share: number): Faults {
  const numbers = Array.from({ length: polls }, (_, index) => index + 1);
  return Object.fromEntries(
    numbers.filter(() => random() < share).map((poll) => [poll, pick(random, kinds)(random)]),
  );
}

function without(unwanted: Fault["kind"], faults: Faults): Faults {
  return Object.fromEntries(Object.entries(faults).filter(([, { kind }]) => kind !== unwanted));
}

/** Returns, for some operations, faults for all polls of several minutes. */
function outage(random: Random): Faults {
  if (random() < 0.85) return {};
  const first = between(random, 1, 8);
  const kind = pick(random, kinds);
  return Object.fromEntries(
    Array.from({ length: between(random, 5, 9) }, (_, index) => [first + index, kind(random)]),
  );
}

/** Returns, for some operations, a 404: an operation that has just started is not known to every replica. */
function lagging(random: Random): Faults {
  return random() < 0.1 ? { 1: { kind: "status", status: 404 } } : {};
}

const json = "application/json";
const faultPoints = ["beforeHeaders", "afterHeaders", "midBody"] as const;
const manyHeaders = Object.fromEntries(Array.from({ length: 10_000 }, (_, nth) => [`x-${nth}`, "value"]));
/** More than a day, which is the most that counts. */
const absurd = ["18446744073709551615", "4294967295", "999999999999"];
const absurdInJson = new RegExp(absurd.join("|"));
const absurdHeaders = [
  { "x-rate-limit-remaining": "0", "x-rate-limit-reset": "9999-12-31T23:59:59Z" },
  { "x-rate-limit-remaining": "-5", "x-rate-limit-reset": "0001-01-01T00:00:00Z" },
  { "x-rate-limit-remaining": "99999999999999999999" },
  { date: "yesterday", "retry-after": "Mon, 99 Foo 2020" },
  { "retry-after-ms": "Infinity" },
  { "retry-after-ms": "-1", "retry-after": "NaN" },
];
const garbage = ["soon", "-1", "0", "1e9999", "Mon, 99 Foo 2020", ""];

/** Frequent faults occur several times; those that take long to create occur once. */
const kinds: readonly ((random: Random) => Fault)[] = [
  ...times(6, (random) => ({ kind: "status", status: pick(random, [408, 429, 500, 502, 503, 504]) })),
  ...times(4, (random) => ({
    kind: "status",
    status: pick(random, [408, 429, 500, 503]),
    retryAfter: between(random, 1, 20),
  })),
  ...times(2, datedRetryAfter),
  (random) => ({ kind: "status", status: 503, retryAfter: pick(random, garbage) }),
  (random) => ({ kind: "status", status: 429, headers: { "retry-after-ms": `${between(random, 1, 9000)}` } }),
  (random) => ({ kind: "headers", headers: pick(random, absurdHeaders) }),
  (random) =>
    random() < 0.1
      ? { kind: "status", status: pick(random, [429, 503]), retryAfter: pick(random, absurd) }
      : { kind: "stale" },
  (random) =>
    random() < 0.1
      ? { kind: "headers", headers: { "retry-after": pick(random, absurd) } }
      : { kind: "stale" },
  () => ({ kind: "status", status: 502, body: "<html>Bad Gateway</html>" }),
  ...times(4, (random) => ({ kind: "reset", when: pick(random, [...faultPoints, "afterBody"] as const) })),
  ...times(3, (random) => ({ kind: "hang", when: pick(random, faultPoints) })),
  ...times(2, (random) => ({ kind: "late", delayInMs: between(random, 100, 60_000) })),
  ...times(3, () => ({ kind: "stale" })),
  ...times(2, () => ({ kind: "otherOperation" })),
  (random) => ({ kind: "slow", chunkBytes: between(random, 20, 200), delayInMs: between(random, 1, 9000) }),
  () => ({ kind: "body", text: "<html>Maintenance</html>" }),
  () => ({ kind: "body", text: "<html>", contentType: json }),
  () => ({ kind: "body", text: '{"status": "Succ', contentType: json }),
  () => ({ kind: "headers", headers: { "content-type": "image/png" } }),
  () => ({ kind: "headers", headers: { "content-encoding": "gzip" } }),
  (random) => (random() < 0.3 ? { kind: "long", bytes: 5_000_000 } : { kind: "reset" }),
  (random) => (random() < 0.2 ? { kind: "long", bytes: 100_000_000, gzip: true } : { kind: "reset" }),
  (random) => (random() < 0.3 ? { kind: "headers", headers: manyHeaders } : { kind: "stale" }),
];

/** Returns a fault whose Retry-After is a date. It counts from the response's own Date, which is years off. */
function datedRetryAfter(random: Random): Fault {
  const date = Date.UTC(between(random, 2000, 2050), 5, 1, 12);
  const retryAfter = new Date(date + between(random, 1, 20) * 1000).toUTCString();
  const headers = { date: new Date(date).toUTCString() };
  return { kind: "status", status: pick(random, [429, 503]), retryAfter, headers };
}

function times(count: number, kind: (random: Random) => Fault): ((random: Random) => Fault)[] {
  return Array.from({ length: count }, () => kind);
}

/** Returns a random integer from `min` to `max`, both included. */
export function between(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}

function pick<T extends object | string | number>(random: Random, from: readonly T[]): T {
  const chosen = from[Math.floor(random() * from.length)];
  if (chosen === undefined) throw new Error("nothing to pick from");
  return chosen;
}

function uuid(random: Random): string {
  const digits = Array.from({ length: 32 }, () => between(random, 0, 15).toString(16)).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
