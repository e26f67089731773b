import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import type { CliContext } from "../input/context.ts";
import { parseDuration } from "../input/duration.ts";
import { queueAdd, queueStatus, queueWorker } from "./queue.ts";
import type { QueueAddOptions, QueueStatusOptions, QueueWorkerOptions } from "./queue.ts";

/** What the commands of the program have in common. */
export interface CommandParts {
  readonly addTargets: (command: Command) => Command;
  readonly addOutput: (command: Command, description: string) => Command;
  readonly collect: (value: string, previous?: readonly string[]) => readonly string[];
  readonly perform: (action: Promise<number>) => Promise<void>;
}

/** Adds `lro queue add`, `worker` and `status`. */
export function addQueue(program: Command, parts: CommandParts, context: CliContext): void {
  const queue = program
    .command("queue")
    .description("wait for operations by workers that share a queue in Redis");
  const { addTargets, addOutput, collect, perform } = parts;
  addLocation(addTargets(queue.command("add")))
    .description("add operations to the queue, and print the ids of their jobs")
    .option("--timeout <duration>", "stop waiting after this time (default: never)", parseDuration)
    .option("--wait", "wait until they are over, and print their results or errors")
    .action((locations: string[], options: QueueAddOptions) =>
      perform(queueAdd(locations, options, context)),
    );
  addLocation(queue.command("worker"))
    .description("read the operations of the queue until interrupted")
    .option("--concurrency <number>", "reads under way at once (default: 16)", parseCount)
    .option(
      "--allow-host <host>",
      "send a token to this host too, outside of devcenter.azure.com (repeatable)",
      collect,
    )
    .action((options: QueueWorkerOptions) => perform(queueWorker(options, context)));
  addOutput(addLocation(queue.command("status")), "print text, or JSON")
    .description("print how many operations are where")
    .action((options: QueueStatusOptions) => perform(queueStatus(options, context)));
}

function addLocation(command: Command): Command {
  return command
    .option("--redis <url>", "where Redis is (default: REDIS_URL, or redis://127.0.0.1:6379)")
    .option("--queue <name>", "the name of the queue (default: operations)", parseName);
}

function parseName(text: string): string {
  if (/^[^:]+$/.test(text)) return text;
  throw new InvalidArgumentError("Expected a name without a colon.");
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number above zero.");
}
