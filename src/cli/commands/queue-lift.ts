import type { QueueHold } from "../../bullmq/index.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { exitCodes } from "../output/exit-codes.ts";
import { withQueue } from "./queue-connection.ts";
import type { QueueOptions } from "./queue-connection.ts";

/**
 * Lifts the hold of a host: the workers poll its operations again.
 *
 * @returns the exit code
 * @throws UsageError if no host of that name is held
 */
export async function queueLift(host: string, options: QueueOptions, context: CliContext): Promise<number> {
  return withQueue(options, context, async (queue, reach) => {
    const holds = await reach(queue.holds());
    const origins = holds.map(({ origin }) => origin).filter((origin) => isNamed(origin, host));
    if (origins.length === 0) throw new UsageError(notHeld(host, holds));
    for (const origin of origins) {
      await reach(queue.lift(origin));
      context.stdout.write(`Lifted the hold of ${origin}.\n`);
    }
    return exitCodes.succeeded;
  });
}

function isNamed(origin: string, name: string): boolean {
  const { host, hostname } = URL.canParse(origin) ? new URL(origin) : { host: origin, hostname: origin };
  const named = name.includes("://") && URL.canParse(name) ? new URL(name).origin : name.toLowerCase();
  return [origin, host, hostname].includes(named);
}

function notHeld(host: string, holds: readonly QueueHold[]): string {
  const known = holds.map(({ origin }) => origin).join(", ") || "none";
  return `host: expected one that is held (${known}), got ${JSON.stringify(host)}`;
}
