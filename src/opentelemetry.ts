import { metrics } from "@opentelemetry/api";
import type { Counter, Histogram, Meter, MeterProvider } from "@opentelemetry/api";
import { addGlobalObserver, errorTypeOf, nameOfError } from "./azure/telemetry/global-observers.ts";
import type { TelemetrySubject } from "./azure/telemetry/global-observers.ts";
import { isTerminal } from "./operation/status.ts";
import type { PollFailure, PollerEnd, PollerObserver, PollerSnapshot } from "./operation/operation.ts";

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** The provider of the meter. Default: the global one of `@opentelemetry/api` at the time of the call. */
  readonly meterProvider?: MeterProvider;
}

/**
 * Records metrics of all waits of this process that start from now on: those of an `OperationStatusesClient`, of
 * `startOperation`, of `fromPollerLike` and of a queue's workers. Call it once, after the OpenTelemetry SDK has been set up.
 *
 * | metric | unit | what it is |
 * |---|---|---|
 * | `lro_poller.polls` | `{poll}` | polls, failed ones included |
 * | `lro_poller.failed_polls` | `{poll}` | failed polls, by `error.type` |
 * | `lro_poller.throttled_polls` | `{poll}` | polls that the service throttled |
 * | `lro_poller.wait.duration` | s | from the first caller until no caller waits, by the operation's last state, and by `error.type` if it did not succeed |
 * | `lro_poller.wait.lateness` | s | the estimated delay between the end and the poll that saw it: half the time since the response before. Only of waits that saw the operation running |
 *
 * @returns A function that unsubscribes: waits that start later are not recorded.
 */
export function instrument({ meterProvider = metrics }: InstrumentOptions = {}): () => void {
  const instruments = instrumentsOf(meterProvider.getMeter("lro-poller"));
  return addGlobalObserver((subject, snapshot) => new WaitMetrics(instruments, subject, snapshot));
}

interface Instruments {
  readonly polls: Counter;
  readonly failedPolls: Counter;
  readonly throttledPolls: Counter;
  readonly duration: Histogram;
  readonly lateness: Histogram;
}

/** From operations of seconds to those of hours. By default a wait is at most half of 30 s late. */
const durationBoundaries = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400];
const latenessBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30, 60];

function instrumentsOf(meter: Meter): Instruments {
  const unit = "{poll}";
  return {
    polls: meter.createCounter("lro_poller.polls", { description: "Polls, failed ones included.", unit }),
    failedPolls: meter.createCounter("lro_poller.failed_polls", { description: "Failed polls.", unit }),
    throttledPolls: meter.createCounter("lro_poller.throttled_polls", {
      description: "Polls that the service throttled.",
      unit,
    }),
    duration: meter.createHistogram("lro_poller.wait.duration", {
      description: "How long callers waited for an operation.",
      unit: "s",
      advice: { explicitBucketBoundaries: durationBoundaries },
    }),
    lateness: meter.createHistogram("lro_poller.wait.lateness", {
      description: "How late the end was seen: an estimate, half the time since the response before.",
      unit: "s",
      advice: { explicitBucketBoundaries: latenessBoundaries },
    }),
  };
}

/** Records the metrics of one wait. */
class WaitMetrics implements PollerObserver {
  readonly #instruments: Instruments;
  readonly #attributes: { readonly "az.namespace": string };
  readonly #startedAtInMs: number;
  /** The time of the last response of this wait that found the operation running. */
  #runningAtInMs: number | undefined;

  constructor(
    instruments: Instruments,
    { resourceProvider }: TelemetrySubject,
    { elapsedInMs, status, jobId }: PollerSnapshot,
  ) {
    this.#instruments = instruments;
    this.#attributes = { "az.namespace": resourceProvider };
    // The worker that ends the wait of a job records all of it: the time before was spent in any worker.
    const isJob = jobId !== undefined;
    this.#startedAtInMs = isJob ? 0 : elapsedInMs;
    this.#runningAtInMs = isJob && status !== undefined && !isTerminal(status) ? elapsedInMs : undefined;
  }

  onResponse({ status, elapsedInMs }: PollerSnapshot): void {
    const { polls, lateness } = this.#instruments;
    polls.add(1, this.#attributes);
    if (isTerminal(status) && this.#runningAtInMs !== undefined) {
      lateness.record(inSeconds(elapsedInMs - this.#runningAtInMs) / 2, this.#attributes);
    }
    // Once: after the end there may be a poll for the result.
    this.#runningAtInMs = isTerminal(status) ? undefined : elapsedInMs;
  }

  onFailedPoll(_: PollerSnapshot, failure: PollFailure): void {
    const { polls, failedPolls, throttledPolls } = this.#instruments;
    polls.add(1, this.#attributes);
    failedPolls.add(1, { ...this.#attributes, "error.type": errorTypeOf(failure) });
    if (failure.isThrottled) throttledPolls.add(1, this.#attributes);
  }

  onEnd({ status, elapsedInMs }: PollerSnapshot, { error }: PollerEnd): void {
    this.#instruments.duration.record(inSeconds(elapsedInMs - this.#startedAtInMs), {
      ...this.#attributes,
      ...(status !== undefined && { "lro_poller.operation.status": status }),
      ...(error !== undefined && { "error.type": nameOfError(error) }),
    });
  }
}

function inSeconds(durationInMs: number): number {
  return durationInMs / 1000;
}
