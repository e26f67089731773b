/** A peer's default delays, in seconds; `retryAfter` is the one of the last response. */
export interface Peer {
  readonly name: string;
  /** Whether it obeys the Retry-After of a status response; the others poll too early. */
  readonly obeysRetryAfter: boolean;
  /** Returns the delay from the initial response to the first poll. */
  first(retryAfter: number | undefined): number;
  /** Returns the delay after the n-th poll (n from 1), `elapsed` seconds after the start. */
  next(n: number, elapsed: number, random: () => number, retryAfter: number | undefined): number;
}

type Next = (n: number, elapsed: number, random: () => number) => number;

const atOnce = (): number => 0;

function ignoring(name: string, next: Next): Peer {
  return { name, obeysRetryAfter: false, first: atOnce, next };
}

/** Retry-After replaces its own delay. */
function replacing(name: string, next: Next, first: Peer["first"] = atOnce): Peer {
  return {
    name,
    obeysRetryAfter: true,
    first,
    next: (n, elapsed, random, retryAfter) => retryAfter ?? next(n, elapsed, random),
  };
}

/** Retry-After is the minimum of its own delay. */
function atLeast(name: string, next: Next): Peer {
  return {
    name,
    obeysRetryAfter: true,
    first: atOnce,
    next: (n, elapsed, random, retryAfter = 0) => Math.max(retryAfter, next(n, elapsed, random)),
  };
}

const every =
  (seconds: number): Next =>
  () =>
    seconds;

const growing =
  (initial: number, factor: number, max: number): Next =>
  (n) =>
    Math.min(max, initial * factor ** (n - 1));

const fullJitter =
  (next: Next): Next =>
  (n, elapsed, random) =>
    random() * next(n, elapsed, random);

/** @smithy/core util-waiter, poller.js: jitter until the longest delay is reached, none from then on. */
const smithyWaiter =
  (min: number, max: number): Next =>
  (n, _elapsed, random) => {
    if (n > Math.log2(max / min) + 1) return max;
    return min + random() * (Math.min(max, min * 2 ** (n - 1)) - min);
  };

const azureManagementSteps: readonly number[] = [1, 1, 1, 2, 4, 8, 16, 32];

/** @vercel/client get-polling-delay.js: by the age of the deployment. */
const vercelSteps: Next = (_n, elapsed) => {
  if (elapsed <= 15) return 1;
  if (elapsed <= 60) return 5;
  return elapsed <= 300 ? 15 : 30;
};

/** cockatiel ExponentialBackoffGenerators.js: decorrelated jitter around a doubling curve. */
const cockatiel: Next = (n, _elapsed, random) => {
  const x = Math.min(30, n - 1 + random());
  return Math.min(30, ((cockatielCurve(x) - cockatielCurve(Math.max(0, x - 1))) * 0.128) / 1.4);
};

const cockatielCurve = (x: number): number => 2 ** x * Math.tanh(Math.sqrt(4 * x));

/** The default schedules of the peers, by their sources: the comments name the files. */
export const peers: readonly Peer[] = [
  // dist/esm/poller/poller.js, intervalInMs
  replacing("@azure/core-lro", every(2)),
  // sdk/azcore/runtime/poller.go, Frequency; the initial response counts too
  replacing("azcore (Go)", every(30), (retryAfter = 0) => retryAfter),
  // OperationPoller.cs, FixedDelayWithNoJitterStrategy.cs
  atLeast("Azure.Core (.NET), data", every(1)),
  // SequentialDelayStrategy.cs
  atLeast("Azure.Core (.NET), management", (n) => azureManagementSteps[n - 1] ?? 32),
  // azure/core/polling/base_polling.py, polling_interval; azure_core/src/http/poller.rs waits as long
  replacing("azure.core (Python), Rust", every(30)),
  // PollingUtil.pollingLoop; data-plane clients set 1 s, Resource Manager 30 s
  replacing("azure-core (Java), data", every(1)),
  replacing("azure-core (Java), management", every(30)),
  // resourcemanager/poller_lro.go
  replacing("go-azure-sdk", every(10), (retryAfter = 10) => retryAfter),
  // util-waiter/poller.js with its defaults of 2 and 120 s
  ignoring("AWS SDK v3 waiter", smithyWaiter(2, 120)),
  // gax.js, createDefaultBackoffSettings
  ignoring("google-gax", growing(0.1, 1.3, 60)),
  // longrunning.go with gax-go call_option.go
  ignoring("google-cloud-go", fullJitter(growing(1, 2, 60))),
  // future/polling.py, retry_base.py
  ignoring("google-api-core (Python)", fullJitter(growing(1, 1.5, 20))),
  // helper/retry/state.go
  ignoring("Terraform StateChangeConf", growing(0.2, 2, 10)),
  // botocore/waiter.py: most waiters 15 s, those of S3 5 s
  ignoring("boto waiter, 15 s", every(15)),
  ignoring("boto waiter, 5 s", every(5)),
  // pkg/util/wait/backoff.go with the DefaultBackoff of its callers, 1 s doubling, 10 % up
  ignoring(
    "Kubernetes wait.Backoff",
    (n, _elapsed, random) => 2 ** Math.min(n - 1, 6) * (1 + 0.1 * random()),
  ),
  // resources/beta/threads/runs/runs.mjs
  ignoring("openai runs.poll", every(5)),
  // index.js, wait
  ignoring("replicate.wait", every(0.5)),
  // get-polling-delay.js
  ignoring("@vercel/client", vercelSteps),
  // operation-poller.js
  ignoring("firebase-tools", growing(0.25, 2, 60)),
  // retry/lib: 1 s doubling up to its maximum
  ignoring("p-retry, 30 s at most", growing(1, 2, 30)),
  // ExponentialBackoffGenerators.js
  ignoring("cockatiel", cockatiel),
];
