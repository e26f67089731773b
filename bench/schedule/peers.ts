/** A peer's default waits, in seconds; `retryAfter` is what the last answer asked for. */
export interface Peer {
  readonly name: string;
  /** Whether it heeds Retry-After on a status answer; the others break the service's minimum. */
  readonly heedsRetryAfter: boolean;
  /** From the answer that began the operation to the first status request. */
  first(retryAfter: number | undefined): number;
  /** From the n-th status answer (n from 1), `elapsed` seconds after the beginning, to the next request. */
  next(n: number, elapsed: number, random: () => number, retryAfter: number | undefined): number;
}

type Next = (n: number, elapsed: number, random: () => number) => number;

const atOnce = (): number => 0;

function deaf(name: string, next: Next): Peer {
  return { name, heedsRetryAfter: false, first: atOnce, next };
}

/** Takes Retry-After in place of its own wait. */
function obedient(name: string, next: Next, first: Peer["first"] = atOnce): Peer {
  return {
    name,
    heedsRetryAfter: true,
    first,
    next: (n, elapsed, random, retryAfter) => retryAfter ?? next(n, elapsed, random),
  };
}

/** Never waits less than Retry-After, nor less than its own wait. */
function patient(name: string, next: Next): Peer {
  return {
    name,
    heedsRetryAfter: true,
    first: atOnce,
    next: (n, elapsed, random, retryAfter = 0) => Math.max(retryAfter, next(n, elapsed, random)),
  };
}

const every =
  (seconds: number): Next =>
  () =>
    seconds;

const growing =
  (initial: number, factor: number, most: number): Next =>
  (n) =>
    Math.min(most, initial * factor ** (n - 1));

const fullJitter =
  (next: Next): Next =>
  (n, elapsed, random) =>
    random() * next(n, elapsed, random);

/** @smithy/core util-waiter, poller.js: jitter until the longest wait is reached, none from then on. */
const smithyWaiter =
  (least: number, most: number): Next =>
  (n, _elapsed, random) => {
    if (n > Math.log2(most / least) + 1) return most;
    return least + random() * (Math.min(most, least * 2 ** (n - 1)) - least);
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

/** The default schedules of the peers. Read in their sources; the files are named with each. */
export const peers: readonly Peer[] = [
  // dist/esm/poller/poller.js, intervalInMs
  obedient("@azure/core-lro", every(2)),
  // sdk/azcore/runtime/poller.go, Frequency; the answer that begins the operation counts too
  obedient("azcore (Go)", every(30), (retryAfter = 0) => retryAfter),
  // OperationPoller.cs, FixedDelayWithNoJitterStrategy.cs
  patient("Azure.Core (.NET), data", every(1)),
  // SequentialDelayStrategy.cs
  patient("Azure.Core (.NET), management", (n) => azureManagementSteps[n - 1] ?? 32),
  // azure/core/polling/base_polling.py, polling_interval; azure_core/src/http/poller.rs waits as long
  obedient("azure.core (Python), Rust", every(30)),
  // PollingUtil.pollingLoop; data-plane clients set 1 s, Resource Manager 30 s
  obedient("azure-core (Java), data", every(1)),
  obedient("azure-core (Java), management", every(30)),
  // resourcemanager/poller_lro.go
  obedient("go-azure-sdk", every(10), (retryAfter = 10) => retryAfter),
  // util-waiter/poller.js with its defaults of 2 and 120 s
  deaf("AWS SDK v3 waiter", smithyWaiter(2, 120)),
  // gax.js, createDefaultBackoffSettings
  deaf("google-gax", growing(0.1, 1.3, 60)),
  // longrunning.go with gax-go call_option.go
  deaf("google-cloud-go", fullJitter(growing(1, 2, 60))),
  // future/polling.py, retry_base.py
  deaf("google-api-core (Python)", fullJitter(growing(1, 1.5, 20))),
  // helper/retry/state.go
  deaf("Terraform StateChangeConf", growing(0.2, 2, 10)),
  // botocore/waiter.py: most waiters 15 s, those of S3 5 s
  deaf("boto waiter, 15 s", every(15)),
  deaf("boto waiter, 5 s", every(5)),
  // pkg/util/wait/backoff.go with the DefaultBackoff of its callers, 1 s doubling, 10 % up
  deaf("Kubernetes wait.Backoff", (n, _elapsed, random) => 2 ** Math.min(n - 1, 6) * (1 + 0.1 * random())),
  // resources/beta/threads/runs/runs.mjs
  deaf("openai runs.poll", every(5)),
  // index.js, wait
  deaf("replicate.wait", every(0.5)),
  // get-polling-delay.js
  deaf("@vercel/client", vercelSteps),
  // operation-poller.js
  deaf("firebase-tools", growing(0.25, 2, 60)),
  // retry/lib: 1 s doubling up to its longest
  deaf("p-retry, 30 s at most", growing(1, 2, 30)),
  // ExponentialBackoffGenerators.js
  deaf("cockatiel", cockatiel),
];
