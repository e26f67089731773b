import type { Command } from "commander";
import type { CliContext } from "../input/context.ts";
import { parseDuration } from "../input/duration.ts";
import {
  addTokenOptions,
  addStallTimeout,
  addTargets,
  addTerminalStates,
  outputOption,
  parseCount,
  parserFor,
} from "./options.ts";
import { queueLift } from "./queue-lift.ts";
import { queueAdd, queueStatus, queueWorker } from "./queue.ts";
import type { QueueAddOptions, QueueOptions, QueueStatusOptions, QueueWorkerOptions } from "./queue.ts";

/** Adds `lro queue add`, `worker`, `status` and `lift`. */
export function addQueue(
  program: Command,
  perform: (action: Promise<number>) => Promise<void>,
  context: CliContext,
): void {
  const queue = program
    .command("queue")
    .description("wait for operations with workers that share a queue in Redis");
  const add = addLocation(addTargets(queue.command("add")))
    .description("add operations to the queue, and print the ids of their jobs")
    .option("--timeout <duration>", "stop waiting after this time (default: never)", parseDuration);
  addTerminalStates(addStallTimeout(add))
    .option("--wait", "wait until they end, and print their results or errors")
    .action((locations: string[], options: QueueAddOptions) =>
      perform(queueAdd(locations, options, context)),
    );
  addTokenOptions(
    addLocation(queue.command("worker"))
      .description("poll the operations of the queue until interrupted")
      .option("--concurrency <number>", "polls in flight at once (default: 16)", parseCount),
  ).action((options: QueueWorkerOptions) => perform(queueWorker(options, context)));
  addLocation(queue.command("status"))
    .addOption(outputOption("print text, or JSON"))
    .description("print how many operations are in each state, and the hosts that are not polled now")
    .action((options: QueueStatusOptions) => perform(queueStatus(options, context)));
  addLocation(queue.command("lift").argument("<host>", "a host or origin that lro queue status prints"))
    .description("poll the operations of a host again that has asked to wait")
    .action((host: string, options: QueueOptions) => perform(queueLift(host, options, context)));
}

function addLocation(command: Command): Command {
  return command
    .option("--redis <url>", "where Redis is (default: REDIS_URL, or redis://127.0.0.1:6379)")
    .option(
      "--queue <name>",
      "the name of the queue (default: operations)",
      parserFor(/^[^:]+$/, "a name without a colon"),
    );
}
