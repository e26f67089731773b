import type { PollFailure, PollerObserver, PollerSnapshot } from "../../operation/operation.ts";

/** The operation of a wait, as far as operators may see it. */
export interface TelemetrySubject {
  /** The span's name, by Azure's convention `Class.method`. */
  readonly spanName: string;
  /** The namespace of Azure Resource Manager, such as `Microsoft.DevCenter`; empty if it is unknown. */
  readonly resourceProvider: string;
  readonly projectName?: string;
  /** The URL to poll; before the initial response, the URL of the initial request. */
  url(): string | undefined;
}

/** Creates the observer of a wait that starts. */
type ObserverFactory = (subject: TelemetrySubject, snapshot: PollerSnapshot) => PollerObserver;

const globalObservers = new Set<ObserverFactory>();

/** Observes all waits that start in this process from now on. Returns a function that unsubscribes. */
export function addGlobalObserver(createObserver: ObserverFactory): () => void {
  // A function of its own: a factory that is added twice observes twice, and unsubscribes one at a time.
  const own: ObserverFactory = (subject, snapshot) => createObserver(subject, snapshot);
  globalObservers.add(own);
  return () => {
    globalObservers.delete(own);
  };
}

/** Returns the observers of a wait that starts from all those that observe every wait. */
export function startGlobalObservers(subject: TelemetrySubject, snapshot: PollerSnapshot): PollerObserver[] {
  return Array.from(globalObservers, (createObserver) => createObserver(subject, snapshot));
}

/** Returns the HTTP status, or else the code: OpenTelemetry wants few distinct values. */
export function errorTypeOf({ statusCode, code }: PollFailure): string {
  return statusCode === undefined || statusCode < 400 ? code : String(statusCode);
}

/** Returns the name of an error's class: few distinct values too. */
export function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
