import type { PollLogger } from "lro-poller";

const unheard = (): void => {};

/** For what fails on purpose. */
export const silent: PollLogger = { verbose: unheard, info: unheard, warning: unheard, error: unheard };

/** Keeps what went wrong. */
export function listeningLogger(): { readonly logger: PollLogger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const error = (...message: unknown[]): unknown => lines.push(message.map(String).join(" "));
  return { logger: { ...silent, error }, lines };
}
