import { createTracingClient } from "@azure/core-tracing";
import type { TracingClient, TracingSpan } from "@azure/core-tracing";
import { LroError, messageOf } from "../../operation/errors.ts";
import type {
  GetStatusOptions,
  PollFailure,
  PollerEnd,
  PollerObserver,
  PollerSnapshot,
  TracingOptions,
} from "../../operation/operation.ts";
import { withoutUrlSecrets } from "../../redaction.ts";
import { errorTypeOf, nameOfError } from "./global-observers.ts";
import type { TelemetrySubject } from "./global-observers.ts";

/** The version in package.json, which a browser cannot read. A test keeps both equal. */
const packageVersion = "0.1.0";

function tracingClientOf(namespace: string): TracingClient {
  return createTracingClient({ namespace, packageName: "lro-poller", packageVersion });
}

const anyNamespace = tracingClientOf("");
const anyTraceparent = `00-${"1".repeat(32)}-${"1".repeat(16)}-01`;

/**
 * Starts the span of a wait, as a child of that in the options or of the active one; none if tracing is off.
 * core-tracing does not tell whether it is on, but its initial instrumenter, which does nothing, parses no traceparent.
 */
export function startPollerSpan(
  subject: TelemetrySubject,
  snapshot: PollerSnapshot,
  tracingOptions: TracingOptions | undefined,
): PollerObserver | undefined {
  if (anyNamespace.parseTraceparentHeader(anyTraceparent) === undefined) return undefined;
  const { span, updatedOptions } = tracingClientOf(subject.resourceProvider).startSpan(
    snapshot.jobId === undefined ? subject.spanName : jobSpanName,
    tracingOptions ? { tracingOptions } : {},
    { spanKind: "internal", spanAttributes: attributesOf(subject, snapshot) },
  );
  return new PollerSpan(span, subject, updatedOptions.tracingOptions);
}

/** The span of a single poll of a queue's worker: that of the wait would have to live in several processes. */
const jobSpanName = "Poller.poll";

/** Makes a span the active one during a call that sends requests but takes no tracing options. */
export function withinSpan<T>(tracingOptions: TracingOptions | undefined, call: () => T): T {
  const tracingContext = tracingOptions?.tracingContext;
  return tracingContext ? anyNamespace.withContext(tracingContext, call) : call();
}

class PollerSpan implements PollerObserver {
  readonly getStatusOptions: Pick<GetStatusOptions, "tracingOptions">;
  readonly #span: TracingSpan;
  readonly #subject: TelemetrySubject;

  constructor(span: TracingSpan, subject: TelemetrySubject, tracingOptions: TracingOptions) {
    this.getStatusOptions = { tracingOptions };
    this.#span = span;
    this.#subject = subject;
  }

  onResponse(snapshot: PollerSnapshot): void {
    const { status, previousStatus, nextPollInMs } = snapshot;
    const nextPoll = { "lro_poller.next_poll_in_ms": nextPollInMs };
    this.#addEvent("lro_poller.poll", { ...attributesOfStatus(snapshot), ...nextPoll });
    if (status === previousStatus) return;
    this.#addEvent("lro_poller.transition", { "lro_poller.from": previousStatus, "lro_poller.to": status });
  }

  onFailedPoll(snapshot: PollerSnapshot, failure: PollFailure): void {
    this.#addEvent("lro_poller.failed_poll", {
      "error.type": errorTypeOf(failure),
      "http.response.status_code": failure.statusCode,
      "lro_poller.error.message": failure.message,
      "lro_poller.throttled": failure.isThrottled,
      "lro_poller.next_poll_in_ms": snapshot.nextPollInMs,
    });
  }

  onEnd(snapshot: PollerSnapshot, { type, error }: PollerEnd): void {
    this.#setAttributes(snapshot);
    if (error !== undefined) this.#fail(error);
    else if (type === "succeeded") this.#span.setStatus({ status: "success" });
    this.#span.end();
  }

  onJobDelayed(snapshot: PollerSnapshot): void {
    this.#setAttributes(snapshot);
    this.#span.end();
  }

  #setAttributes(snapshot: PollerSnapshot): void {
    const attributes = {
      ...attributesOf(this.#subject, snapshot),
      ...attributesOfStatus(snapshot),
      "lro_poller.polls": snapshot.pollCount,
      "lro_poller.failed_polls": snapshot.failedPollCount,
    };
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) this.#span.setAttribute(name, value);
    }
  }

  #fail(error: unknown): void {
    this.#span.setAttribute("error.type", nameOfError(error));
    if (error instanceof LroError) this.#span.setAttribute("lro_poller.error.code", error.code);
    // Only this library's own errors are known to show no secrets.
    const redacted = error instanceof LroError ? error : withoutUrlSecrets(messageOf(error));
    this.#span.setStatus({ status: "error", error: redacted });
  }

  #addEvent(name: string, attributes: Record<string, unknown>): void {
    this.#span.addEvent?.(name, { attributes });
  }
}

function attributesOf(
  subject: TelemetrySubject,
  { operationId, jobId }: PollerSnapshot,
): Record<string, unknown> {
  const url = subject.url();
  return {
    "lro_poller.operation.id": operationId,
    ...(jobId !== undefined && { "lro_poller.job.id": jobId }),
    ...(subject.projectName !== undefined && { "lro_poller.project": subject.projectName }),
    ...(url !== undefined && { "url.full": originAndPath(url) }),
  };
}

function attributesOfStatus({ status, percentComplete }: PollerSnapshot): Record<string, unknown> {
  return {
    "lro_poller.operation.status": status,
    "lro_poller.operation.percent_complete": percentComplete,
  };
}

function originAndPath(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
