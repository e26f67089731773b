import type { PollerObserver, PollerSnapshot, TracingOptions } from "../../operation/operation.ts";
import { startPollerSpan } from "./span.ts";
import { startGlobalObservers } from "./global-observers.ts";
import type { TelemetrySubject } from "./global-observers.ts";

/** The name of the span of a wait, whether it is awaited, iterated over, or a single poll. */
export const pollerSpanName = "Poller.wait";

/** Starts the observers of a wait: its span, if tracing is on, and the global observers. */
export function observePoller(
  subject: TelemetrySubject,
  snapshot: PollerSnapshot,
  tracingOptions: TracingOptions | undefined,
): PollerObserver | undefined {
  const span = startPollerSpan(subject, snapshot, tracingOptions);
  const others = startGlobalObservers(subject, snapshot);
  if (others.length === 0) return span;
  const observers = span ? [span, ...others] : others;
  return {
    getStatusOptions: span?.getStatusOptions,
    onResponse: (latest) => observers.forEach((observer) => observer.onResponse(latest)),
    onFailedPoll: (latest, failure) =>
      observers.forEach((observer) => observer.onFailedPoll(latest, failure)),
    onEnd: (latest, end) => observers.forEach((observer) => observer.onEnd(latest, end)),
    onJobDelayed: (latest) => observers.forEach((observer) => observer.onJobDelayed?.(latest)),
  };
}

/** Returns the namespace of Azure Resource Manager in a URL, or an empty text. */
export function resourceProviderOf(url: string): string {
  return /\/providers\/([\w.]+)\//i.exec(url)?.[1] ?? "";
}
