import type { PollerObserver, PollerSnapshot, TracingOptions } from "../../operation/operation.ts";
import { startPollerSpan } from "./span.ts";
import { startGlobalObservers } from "./global-observers.ts";
import type { TelemetrySubject } from "./global-observers.ts";

/** The name of the span of a wait, whether it is awaited, iterated over, or a single poll. */
export const pollerSpanName = "Poller.wait";

/** Who watches a wait that begins: its span, where tracing is on, and whoever watches all waits. */
export function observePoller(
  subject: TelemetrySubject,
  facts: PollerSnapshot,
  tracingOptions: TracingOptions | undefined,
): PollerObserver | undefined {
  const span = startPollerSpan(subject, facts, tracingOptions);
  const others = startGlobalObservers(subject, facts);
  if (others.length === 0) return span;
  return together(span ? [span, ...others] : others, span?.getStatusOptions);
}

function together(
  observers: readonly PollerObserver[],
  getStatusOptions: PollerObserver["getStatusOptions"],
): PollerObserver {
  return {
    getStatusOptions,
    onResponse: (facts) => observers.forEach((observer) => observer.onResponse(facts)),
    onFailedPoll: (facts, failure) => observers.forEach((observer) => observer.onFailedPoll(facts, failure)),
    onEnd: (facts, end) => observers.forEach((observer) => observer.onEnd(facts, end)),
  };
}

/** The namespace of Azure Resource Manager that a URL is of. */
export function resourceProviderOf(url: string): string {
  return /\/providers\/([\w.]+)\//i.exec(url)?.[1] ?? "";
}
