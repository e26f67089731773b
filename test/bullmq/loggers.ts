import type { PollLogger } from "lro-poller";

const ignore = (): void => {};

/** For errors that a test causes on purpose. */
export const silent: PollLogger = { verbose: ignore, info: ignore, warning: ignore, error: ignore };

/** Returns a logger that keeps the lines of its warnings and errors. */
export function recordingLogger(): { readonly logger: PollLogger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const record = (...message: unknown[]): unknown => lines.push(message.map(String).join(" "));
  return { logger: { ...silent, warning: record, error: record }, lines };
}
