import type { QueueHold } from "../../bullmq/index.ts";

/** Returns the line of `lro queue status` that shows a hold. */
export function holdLine({ origin, until, statusCode, intervalInMs }: QueueHold): string {
  const reason = statusCode === undefined ? "" : ` (HTTP ${statusCode})`;
  const name = origin === "" ? "(no URL)" : origin;
  return until
    ? `held      ${name} until ${until.toISOString()}${reason}\n`
    : `limited   ${name} to a poll every ${intervalInMs} ms${reason}\n`;
}
