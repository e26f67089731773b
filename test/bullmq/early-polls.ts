import type { RecordedRequest } from "lro-poller/testing";

/** How long an answer may be under way, to Redis at the end, on a busy machine. */
const longestSavingInMs = 1000;

/**
 * The reads that came before the Retry-After of the read before was over, whichever worker sent them. An answer that its
 * worker did not live to save counts as one that never came.
 */
export function tooEarlyReads(
  requests: readonly RecordedRequest[],
  holdOf: (request: RecordedRequest) => number,
  killedAt: ReadonlyMap<number, number> = new Map(),
): string[] {
  const isUnsaved = ({ headers, receivedAt }: RecordedRequest): boolean => {
    const livedOnInMs = (killedAt.get(Number(headers["x-process"])) ?? Infinity) - receivedAt;
    return livedOnInMs < longestSavingInMs;
  };
  const byOperation = new Map<string, RecordedRequest[]>();
  for (const request of requests) {
    const { operationId = "" } = request;
    byOperation.set(operationId, [...(byOperation.get(operationId) ?? []), request]);
  }
  return Array.from(byOperation.values()).flatMap((asked) =>
    asked.slice(1).flatMap((request, index) => {
      const before = asked[index] ?? request;
      const missing = before.receivedAt + holdOf(before) - request.receivedAt;
      return missing > 0 && !isUnsaved(before)
        ? [`read ${request.pollNumber} came ${missing} ms too early`]
        : [];
    }),
  );
}
