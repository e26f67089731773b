import type { RecordedRequest } from "lro-poller/testing";

/** How long a worker may take to save a response in Redis, on a busy machine. */
const maxSaveInMs = 1000;

/**
 * Describes the polls that came before the Retry-After of the poll before was over, whichever worker sent them. A
 * response that its worker received but did not save before it was killed does not count.
 */
export function earlyPolls(
  requests: readonly RecordedRequest[],
  retryAfterOf: (request: RecordedRequest) => number,
  killedAt: ReadonlyMap<number, number> = new Map(),
): string[] {
  const isUnsaved = ({ headers, receivedAt }: RecordedRequest): boolean => {
    const aliveForInMs = (killedAt.get(Number(headers["x-process"])) ?? Infinity) - receivedAt;
    return aliveForInMs < maxSaveInMs;
  };
  const byOperation = new Map<string, RecordedRequest[]>();
  for (const request of requests) {
    const { operationId = "" } = request;
    byOperation.set(operationId, [...(byOperation.get(operationId) ?? []), request]);
  }
  return Array.from(byOperation.values()).flatMap((polls) =>
    polls.slice(1).flatMap((request, index) => {
      const before = polls[index] ?? request;
      const earlyByInMs = before.receivedAt + retryAfterOf(before) - request.receivedAt;
      return earlyByInMs > 0 && !isUnsaved(before)
        ? [`poll ${request.pollNumber} came ${earlyByInMs} ms too early`]
        : [];
    }),
  );
}
