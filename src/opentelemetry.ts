import { metrics } from "@opentelemetry/api";
import type { Counter, Histogram, Meter, MeterProvider } from "@opentelemetry/api";
import { addGlobalObserver, errorTypeOf, nameOfError } from "./azure/telemetry/global-observers.ts";
import type { TelemetrySubject } from "./azure/telemetry/global-observers.ts";
import { isTerminal } from "./operation/status.ts";
import type { PollFailure, PollerEnd, PollerObserver, PollerSnapshot } from "./operation/operation.ts";

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Default: the global one of `@opentelemetry/api` at the time of the call. */
  readonly meterProvider?: MeterProvider;
}

/**
 * Records metrics of all waits of this process that begin from now on: those of an `OperationStatusesClient`, of
 * `startOperation` and of `fromPollerLike`. Call it once, after the OpenTelemetry SDK has been set up.
 *
 * | metric | unit | what it is |
 * |---|---|---|
 * | `lro_poller.polls` | `{read}` | reads that came to an end, failed ones included |
 * | `lro_poller.failed_polls` | `{read}` | those that failed, by `error.type` |
 * | `lro_poller.throttled_polls` | `{read}` | those that the service turned away because it is asked too much |
 * | `lro_poller.wait.duration` | s | from when somebody waits until nobody does, by the operation's last state, and by `error.type` where it did not succeed |
 * | `lro_poller.wait.lateness` | s | how late the end was seen, as an estimate: half the time since the answer before, because the end was somewhere in between. Of waits that saw the operation under way |
 *
 * @returns the way out: waits that begin later are not recorded
 */
export function instrument({ meterProvider = metrics }: InstrumentOptions = {}): () => void {
  const instruments = instrumentsOf(meterProvider.getMeter("lro-poller"));
  return addGlobalObserver((subject, facts) => new WaitMetrics(instruments, subject, facts));
}

interface Instruments {
  readonly polls: Counter;
  readonly failedPollCount: Counter;
  readonly throttledReads: Counter;
  readonly duration: Histogram;
  readonly lateness: Histogram;
}

/** From operations of seconds to those of hours; a wait is late by half of 30 s at most by default. */
const durationBoundaries = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400];
const latenessBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30, 60];

function instrumentsOf(meter: Meter): Instruments {
  return {
    polls: meter.createCounter("lro_poller.polls", {
      description: "Reads of a status that came to an end, failed ones included.",
      unit: "{read}",
    }),
    failedPollCount: meter.createCounter("lro_poller.failed_polls", {
      description: "Reads of a status that failed.",
      unit: "{read}",
    }),
    throttledReads: meter.createCounter("lro_poller.throttled_polls", {
      description: "Reads of a status that the service turned away because it is asked too much.",
      unit: "{read}",
    }),
    duration: meter.createHistogram("lro_poller.wait.duration", {
      description: "How long somebody waited for an operation.",
      unit: "s",
      advice: { explicitBucketBoundaries: durationBoundaries },
    }),
    lateness: meter.createHistogram("lro_poller.wait.lateness", {
      description: "How late the end was seen: half the time since the answer before, as an estimate.",
      unit: "s",
      advice: { explicitBucketBoundaries: latenessBoundaries },
    }),
  };
}

/** The metrics of one wait. */
class WaitMetrics implements PollerObserver {
  readonly #instruments: Instruments;
  readonly #attributes: { readonly "az.namespace": string };
  readonly #begunAtInMs: number;
  /** When an answer of this wait last found the operation under way. */
  #seenUnderWayAtInMs: number | undefined;

  constructor(
    instruments: Instruments,
    { resourceProvider }: TelemetrySubject,
    { elapsedInMs }: PollerSnapshot,
  ) {
    this.#instruments = instruments;
    this.#attributes = { "az.namespace": resourceProvider };
    this.#begunAtInMs = elapsedInMs;
  }

  onResponse({ status, elapsedInMs }: PollerSnapshot): void {
    this.#instruments.polls.add(1, this.#attributes);
    if (!isTerminal(status)) this.#seenUnderWayAtInMs = elapsedInMs;
    else if (this.#seenUnderWayAtInMs !== undefined) this.#recordEnd(elapsedInMs - this.#seenUnderWayAtInMs);
  }

  onFailedPoll(_: PollerSnapshot, failure: PollFailure): void {
    this.#instruments.polls.add(1, this.#attributes);
    this.#instruments.failedPollCount.add(1, { ...this.#attributes, "error.type": errorTypeOf(failure) });
    if (failure.isThrottled) this.#instruments.throttledReads.add(1, this.#attributes);
  }

  onEnd({ status, elapsedInMs }: PollerSnapshot, { error }: PollerEnd): void {
    this.#instruments.duration.record(inSeconds(elapsedInMs - this.#begunAtInMs), {
      ...this.#attributes,
      ...(status !== undefined && { "lro_poller.operation.status": status }),
      ...(error !== undefined && { "error.type": nameOfError(error) }),
    });
  }

  /** Once: after the end there may be a read of the result. */
  #recordEnd(sinceLastAnswerInMs: number): void {
    this.#seenUnderWayAtInMs = undefined;
    this.#instruments.lateness.record(inSeconds(sinceLastAnswerInMs) / 2, this.#attributes);
  }
}

function inSeconds(durationInMs: number): number {
  return durationInMs / 1000;
}
