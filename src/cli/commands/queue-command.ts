import { Option } from "commander";
import type { Command } from "commander";
import type { JobState } from "../../bullmq/index.ts";
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
import type { Perform } from "./options.ts";
import type { QueueOptions } from "./queue-connection.ts";
import type { QueueGetOptions, QueueListOptions, QueueRetryOptions } from "./queue-jobs.ts";
import type { QueueAddOptions, QueueStatusOptions, QueueWorkerOptions } from "./queue.ts";

/** Adds `lro queue` and its subcommands. */
export function addQueue(program: Command, perform: Perform): void {
  const queue = program
    .command("queue")
    .description("wait for operations with workers that share a queue in Redis");
  const add = addLocation(addTargets(queue.command("add")))
    .description("add operations to the queue, and print the ids of their jobs")
    .option(
      "--from <file>",
      "add the operations in a file, or - for stdin: a URL or name=URL on each line, or the log of az --debug",
      parserFor(/^.{1,256}$/s, "1 to 256 characters"),
    )
    .option("--timeout <duration>", "stop waiting after this time (default: never)", parseDuration);
  addTerminalStates(addStallTimeout(add))
    .option(
      "--wait",
      "wait until they end, and print their results or errors; the ids of their jobs go to stderr",
    )
    .action((locations: string[], options: QueueAddOptions) =>
      perform(async (context) => (await import("./queue.ts")).queueAdd(locations, options, context)),
    );
  addTokenOptions(
    addLocation(queue.command("worker"))
      .description("poll the operations of the queue until interrupted")
      .option("--concurrency <number>", "polls in flight at once (default: 16)", parseCount)
      .option(
        "--unclaimed-timeout <duration>",
        "end jobs that no worker may poll after this time (default: 1h)",
        parseDuration,
      ),
  ).action((options: QueueWorkerOptions) =>
    perform(async (context) => (await import("./queue.ts")).queueWorker(options, context)),
  );
  addLocation(queue.command("status"))
    .addOption(outputOption("print text, or JSON"))
    .description("print how many operations are in each state, and the hosts that are not polled now")
    .action((options: QueueStatusOptions) =>
      perform(async (context) => (await import("./queue.ts")).queueStatus(options, context)),
    );
  addLocation(queue.command("lift").argument("<host>", "a host or origin that lro queue status prints"))
    .description("poll the operations of a host again that has asked to wait")
    .action((host: string, options: QueueOptions) =>
      perform(async (context) => (await import("./queue-lift.ts")).queueLift(host, options, context)),
    );
  addLocation(queue.command("list"))
    .description("print the jobs of the queue, with the failures of their polls")
    .addOption(new Option("--state <state>", "only jobs in this state").choices(jobStates))
    .option("--limit <number>", "at most so many jobs (default: 100)", parseCount)
    .addOption(outputOption("print a table, or each job as JSON on a line"))
    .action((options: QueueListOptions) =>
      perform(async (context) => (await import("./queue-jobs.ts")).queueList(options, context)),
    );
  addJobs(queue.command("get"))
    .description("print all that is known of jobs: state, progress, failures and outcome")
    .addOption(outputOption("print text, or each job as JSON on a line"))
    .action((jobIds: string[], options: QueueGetOptions) =>
      perform(async (context) => (await import("./queue-jobs.ts")).queueGet(jobIds, options, context)),
    );
  addJobs(queue.command("retry"))
    .description("poll again for jobs that polling has stopped for, or that a worker rejected")
    .option(
      "--timeout <duration>",
      "stop waiting after this time (default: what a job has left, or never if that has passed)",
      parseDuration,
    )
    .action((jobIds: string[], options: QueueRetryOptions) =>
      perform(async (context) => (await import("./queue-jobs.ts")).queueRetry(jobIds, options, context)),
    );
  addJobs(queue.command("stop"))
    .description("stop polling for jobs, and keep that as their outcome; their operations are not canceled")
    .action((jobIds: string[], options: QueueOptions) =>
      perform(async (context) => (await import("./queue-jobs.ts")).queueStop(jobIds, options, context)),
    );
  addJobs(queue.command("remove"))
    .description("remove jobs and their results; their operations are not canceled")
    .action((jobIds: string[], options: QueueOptions) =>
      perform(async (context) => (await import("./queue-jobs.ts")).queueRemove(jobIds, options, context)),
    );
}

const jobStates: readonly JobState[] = ["delayed", "waiting", "active", "completed", "rejected"];

function addJobs(command: Command): Command {
  return addLocation(command.argument("<job-id...>", "the ids that lro queue add printed"));
}

function addLocation(command: Command): Command {
  return command
    .option("--redis <url>", "where Redis is (default: REDIS_URL, or redis://127.0.0.1:6379)")
    .option(
      "--queue <name>",
      "the name of the queue (default: operations)",
      parserFor(/^[^:]+$/, "a name without a colon"),
    )
    .option("--prefix <prefix>", "the prefix of the queue's keys in Redis (default: bull)");
}
