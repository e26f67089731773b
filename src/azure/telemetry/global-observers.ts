import type { PollFailure, PollerObserver, PollerSnapshot } from "../../operation/operation.ts";

/** What a wait is for, as far as it may be shown to operators. */
export interface TelemetrySubject {
  /** By Azure's convention `Class.method`. */
  readonly spanName: string;
  /** `Microsoft.DevCenter`; empty where it is not known. */
  readonly resourceProvider: string;
  readonly projectName?: string;
  /** Where the operation is asked for its status; before it has begun, where it is begun. */
  url(): string | undefined;
}

/** Begins to watch a wait. */
export type ObserverFactory = (subject: TelemetrySubject, facts: PollerSnapshot) => PollerObserver;

const globalObservers = new Set<ObserverFactory>();

/** Watches all waits that begin in this process from now on. Returns the way out. */
export function addGlobalObserver(watch: ObserverFactory): () => void {
  const own: ObserverFactory = (subject, facts) => watch(subject, facts);
  globalObservers.add(own);
  return () => {
    globalObservers.delete(own);
  };
}

const none: readonly PollerObserver[] = [];

/** Who watches a wait that begins, because it watches all. */
export function startGlobalObservers(
  subject: TelemetrySubject,
  facts: PollerSnapshot,
): readonly PollerObserver[] {
  return globalObservers.size === 0 ? none : Array.from(globalObservers, (watch) => watch(subject, facts));
}

/** Of few values, as OpenTelemetry asks: the HTTP status, or else the code. */
export function errorTypeOf({ statusCode, code }: PollFailure): string {
  return statusCode === undefined || statusCode < 400 ? code : String(statusCode);
}

/** Of few values too: the name of a class. */
export function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
