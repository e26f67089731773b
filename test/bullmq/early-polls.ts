import type { RecordedRequest } from "lro-poller/testing";

/**
 * Describes the polls that came before the Retry-After of the poll before was over, whichever worker sent them. A
 * response whose job was taken from its worker before it was saved does not count.
 */
export function earlyPolls(
  requests: readonly RecordedRequest[],
  retryAfterOf: (request: RecordedRequest) => number,
  isUnsaved: (request: RecordedRequest, next: RecordedRequest) => boolean = () => false,
): string[] {
  const byOperation = new Map<string, RecordedRequest[]>();
  for (const request of requests) {
    const { operationId = "" } = request;
    byOperation.set(operationId, [...(byOperation.get(operationId) ?? []), request]);
  }
  return Array.from(byOperation.values()).flatMap((polls) =>
    polls.slice(1).flatMap((request, index) => {
      const before = polls[index] ?? request;
      const earlyByInMs = before.receivedAt + retryAfterOf(before) - request.receivedAt;
      return earlyByInMs > 0 && !isUnsaved(before, request)
        ? [`poll ${request.pollNumber} came ${earlyByInMs} ms too early`]
        : [];
    }),
  );
}
