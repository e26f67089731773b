import type { TracingOptions, WaitFacts, WaitObserver } from "../../operation/operation.ts";
import { beginWaitSpan } from "./span.ts";
import { beginWatches } from "./global-observers.ts";
import type { WaitSubject } from "./global-observers.ts";

/** The name of the span of a wait, whether it is awaited, iterated over, or a single poll. */
export const spanNameOfWaits = "Poller.wait";

/** Who watches a wait that begins: its span, where tracing is on, and whoever watches all waits. */
export function observeWait(
  subject: WaitSubject,
  facts: WaitFacts,
  tracingOptions: TracingOptions | undefined,
): WaitObserver | undefined {
  const span = beginWaitSpan(subject, facts, tracingOptions);
  const others = beginWatches(subject, facts);
  if (others.length === 0) return span;
  return together(span ? [span, ...others] : others, span?.readOptions);
}

function together(
  observers: readonly WaitObserver[],
  readOptions: WaitObserver["readOptions"],
): WaitObserver {
  return {
    readOptions,
    onAnswer: (facts) => observers.forEach((observer) => observer.onAnswer(facts)),
    onFailedRead: (facts, failure) => observers.forEach((observer) => observer.onFailedRead(facts, failure)),
    onEnd: (facts, end) => observers.forEach((observer) => observer.onEnd(facts, end)),
  };
}

/** The namespace of Azure Resource Manager that a URL is of. */
export function resourceProviderOf(url: string): string {
  return /\/providers\/([\w.]+)\//i.exec(url)?.[1] ?? "";
}
