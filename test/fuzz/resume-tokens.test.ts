import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { ContractError, OperationStatusesClient } from "lro-poller";
import type { ResumeToken } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { isLong } from "../support/long.ts";
import { settled } from "../support/rejections.ts";
import { endpoint, freshToken, operationId } from "../azure/lro/resume-support.ts";

/** `npm run test:fuzz` sets it. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? (isLong ? 20_000 : 4000));

vi.setConfig({ testTimeout: 600_000 });

const progress = { latest: 40.5, quantum: 5, roughness: [0.5, 3], points: [1, 1, 5, 1, 20.5, 4, 10, 2] };
const wholeToken = {
  ...freshToken,
  savedAt: freshToken.startedAt + 50_000,
  status: "Running",
  percentComplete: 40,
  pollCount: 9,
  failedPollCount: 2,
  ageAtStart: 1000,
  notBefore: freshToken.startedAt + 60_000,
  deadline: freshToken.startedAt + 90_000,
  progress,
};
const pollingLocation = {
  kind: "statusMonitor",
  monitorUrl: `${endpoint}operations/7?sig=secret`,
  resultUrl: "/boxes/b1",
};
const seeds: readonly unknown[] = [
  wholeToken,
  { ...freshToken, operation: { pollingLocation } },
  {
    state: {
      status: "running",
      config: {
        metadata: { mode: "OperationLocation" },
        operationLocation: `${endpoint}operations/7`,
        resourceLocation: null,
      },
    },
  },
];

const oddValues: readonly unknown[] = [
  [0, -0, -1, 1.5, 1e300, -1e300, 2 ** 53, 8.64e15, 1e-320, NaN, Infinity, null, undefined, true],
  [
    "",
    "0",
    "Running",
    "Succeeded",
    "__proto__",
    "constructor",
    operationId,
    "😀\u0000\ud800",
    "x".repeat(40),
  ],
  [
    "//evil.example/",
    "https://evil.example/",
    "\\\\evil.example",
    "/..",
    "https:evil.example",
    "http://127.0.0.1:1/",
  ],
  [
    [],
    {},
    [[]],
    freshToken,
    progress,
    [1, 2, 3, 4],
    Array(60).fill(7),
    { state: { config: {} } },
    { pollingLocation },
  ],
].flat();
const oddNames = ["__proto__", "constructor", "toJSON", "hasOwnProperty", "valueOf"];
const values = fc.oneof(fc.constantFrom(...oddValues), fc.jsonValue({ maxDepth: 3 }));
const keys = fc.constantFrom(...oddNames, "version", "state", "operation", "progress");

/** Changes of the value at a path. */
const mutations = fc.record({
  path: fc.array(fc.nat({ max: 11 }), { maxLength: 4 }),
  kind: fc.constantFrom("replace", "remove", "add"),
  key: fc.oneof({ weight: 3, arbitrary: keys }, { weight: 1, arbitrary: fc.string() }),
  value: values,
});
type Mutation = typeof mutations extends fc.Arbitrary<infer T> ? T : never;

/** Cuts of the text, with other characters in their place. */
const damages = fc.record({
  at: fc.nat({ max: 900 }),
  length: fc.nat({ max: 40 }),
  text: fc.string({ maxLength: 6 }),
});
type Damage = typeof damages extends fc.Arbitrary<infer T> ? T : never;

function mutated(root: unknown, { path, kind, key, value: given }: Mutation): unknown {
  // A copy, because the next change may be within it.
  const value = structuredClone(given);
  let parent: unknown = root;
  for (const step of path.slice(0, -1)) {
    const child = childOf(parent, step)?.[1];
    if (typeof child === "object" && child !== null) parent = child;
  }
  const name = childOf(parent, path.at(-1) ?? 0)?.[0];
  if (typeof parent !== "object" || parent === null || path.length === 0) return value;
  // As JSON.parse sets a field, for which `__proto__` is a name like any other.
  const define = (field: string): void => {
    if (Array.isArray(parent) && field === "length") return;
    Reflect.defineProperty(parent, field, { value, configurable: true, enumerable: true, writable: true });
  };
  if (kind === "add") define(key);
  else if (name !== undefined && kind === "replace") define(name);
  else if (name !== undefined) Reflect.deleteProperty(parent, name);
  return root;
}

function childOf(parent: unknown, step: number): [string, unknown] | undefined {
  const entries = typeof parent === "object" && parent !== null ? Object.entries(parent) : [];
  return entries[step % Math.max(1, entries.length)];
}

function damaged(text: string, { at, length, text: instead }: Damage): string {
  return text.slice(0, at) + instead + text.slice(at + length);
}

const tokens = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(mutations, { maxLength: 3 }),
    fc.array(damages, { maxLength: 2 }),
    fc.boolean(),
  )
  .map(([seed, changes, cuts, isText]): unknown => {
    const value = changes.reduce(mutated, structuredClone(seed));
    if (!isText) return value;
    const text: string | undefined = JSON.stringify(value);
    return cuts.reduce(damaged, text ?? "");
  });

const sent: string[] = [];
const clock = createVirtualClock();
const client = new OperationStatusesClient(endpoint, undefined, {
  httpClient: {
    sendRequest: (request) => {
      sent.push(request.url);
      return Promise.reject(new Error("expected no request"));
    },
  },
});

function checkRanges({
  savedAt,
  startedAt,
  percentComplete = 0,
  pollCount,
  failedPollCount,
  progress: history,
}: ResumeToken): void {
  const percents = [
    percentComplete,
    history?.quantum ?? 0,
    ...(history?.points ?? []).filter((_, index) => index % 4 === 2),
  ];
  const counts = [
    savedAt - startedAt,
    pollCount,
    failedPollCount,
    history?.latest ?? 0,
    ...(history?.points ?? []),
  ];
  for (const percent of percents) expect(percent).toBeLessThanOrEqual(100);
  for (const count of [...percents, ...counts]) expect(count).toBeGreaterThanOrEqual(0);
}

/** Returns whether the client accepts the token, and checks that the poller then writes an equal one. */
function isAccepted(token: unknown): boolean {
  try {
    // Files may contain what types forbid.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const poller = client.resume(token as string, { clock });
    // Each process may add a millisecond to a Retry-After, to be on the safe side.
    const again = { ...poller.toJSON(), notBefore: undefined };
    expect(client.resume(again, { clock }).toJSON()).toEqual(again);
    checkRanges(again);
    return true;
  } catch (error) {
    if (!(error instanceof ContractError) && !(error instanceof RangeError)) throw error;
    expect(error.message).toMatch(/^token\S*: expected [^\n]+, got [^\n]+$/);
    // The message has the origin that a URL leads to, even where a cut has made a signature part of the host.
    expect(error.message.replace(/got https?:\/\/[^\s;]+/, "")).not.toMatch(/secret/);
    return false;
  }
}

test(`${numRuns} mutated tokens are accepted or rejected with a documented error, and nothing is sent`, () => {
  let accepted = 0;
  fc.assert(
    fc.property(tokens, (token) => {
      accepted += isAccepted(token) ? 1 : 0;
      expect(sent).toEqual([]);
    }),
    { numRuns },
  );
  // Both have to be tested.
  expect(accepted).toBeGreaterThan(numRuns / 100);
  expect(accepted).toBeLessThan(numRuns / 2);
});

test("waits that continue from mutated tokens end in time, and report valid numbers", async () => {
  const body = { id: `/x/${operationId}`, name: operationId, status: "Running", percentComplete: 50 };
  const running = new OperationStatusesClient(endpoint, undefined, {
    httpClient: {
      sendRequest: (request) =>
        Promise.resolve({ request, status: 200, headers: request.headers, bodyAsText: JSON.stringify(body) }),
    },
  });
  const changes = fc.array(mutations, { minLength: 1, maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(changes, async (list) => {
      const token = list.reduce(mutated, structuredClone<unknown>(wholeToken));
      if (!isAccepted(token)) return;
      const own = createVirtualClock();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const poller = running.resume(token as string, { clock: own, timeoutInMs: 2 * 86_400_000 });
      const numbers: (number | undefined)[] = [];
      const enough = new AbortController();
      poller.onProgress(({ elapsedInMs, nextPollInMs, estimatedRemainingInMs, pollCount }) => {
        numbers.push(elapsedInMs, nextPollInMs, estimatedRemainingInMs);
        if (pollCount > wholeToken.pollCount + 5 || numbers.length > 30) enough.abort();
      });
      await own.runUntilSettled(settled(poller.pollUntilDone({ abortSignal: enough.signal })));
      expect(numbers.length).toBeGreaterThan(0);
      for (const number of numbers) expect(number ?? 0).toBeGreaterThanOrEqual(0);
      expect(own.now()).toBeLessThan(2 * 86_400_000 + 1);
      expect(own.pendingTimers).toBe(0);
    }),
    { numRuns: Math.ceil(numRuns / 20) },
  );
});
