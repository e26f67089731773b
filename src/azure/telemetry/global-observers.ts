import type { ReadFailure, WaitFacts, WaitObserver } from "../../operation/operation.ts";

/** What a wait is for, as far as it may be shown to operators. */
export interface WaitSubject {
  /** By Azure's convention `Class.method`. */
  readonly spanName: string;
  /** `Microsoft.DevCenter`; empty where it is not known. */
  readonly resourceProvider: string;
  readonly projectName?: string;
  /** Where the operation is asked for its status; before it has begun, where it is begun. */
  url(): string | undefined;
}

/** Begins to watch a wait. */
export type WaitWatch = (subject: WaitSubject, facts: WaitFacts) => WaitObserver;

const watches = new Set<WaitWatch>();

/** Watches all waits that begin in this process from now on. Returns the way out. */
export function watchWaits(watch: WaitWatch): () => void {
  const own: WaitWatch = (subject, facts) => watch(subject, facts);
  watches.add(own);
  return () => {
    watches.delete(own);
  };
}

const none: readonly WaitObserver[] = [];

/** Who watches a wait that begins, because it watches all. */
export function beginWatches(subject: WaitSubject, facts: WaitFacts): readonly WaitObserver[] {
  return watches.size === 0 ? none : Array.from(watches, (watch) => watch(subject, facts));
}

/** Of few values, as OpenTelemetry asks: the HTTP status, or else the code. */
export function errorTypeOf({ statusCode, code }: ReadFailure): string {
  return statusCode === undefined || statusCode < 400 ? code : String(statusCode);
}

/** Of few values too: the name of a class. */
export function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
