import type { Job, Queue } from "bullmq";
import { descriptionOf } from "./job-description.ts";
import type { JobDescription, JobState } from "./job-description.ts";
import { runScript } from "./redis-state.ts";

/** How many jobs are read at once: a queue may have a million. */
const pageSize = 50;

/** The ids of the jobs of each state, page by page, in the order in which a queue lists them. */
const pagesOf: Readonly<Record<JobState, (queue: Queue) => AsyncGenerator<readonly string[]>>> = {
  delayed: (queue) => pagesByScore(queue, "delayed", "ascending"),
  waiting: pagesOfWaiting,
  active: (queue) => pagesOfList(queue, "active"),
  completed: (queue) => pagesByScore(queue, "completed", "descending"),
  rejected: (queue) => pagesByScore(queue, "failed", "descending"),
};

/**
 * Describes the jobs of a queue, each once. Each state is read after those from which jobs get into it, so that a job
 * that moves on is not missed.
 */
export async function* describeJobs(
  queue: Queue,
  state: JobState | undefined,
): AsyncGenerator<JobDescription, void, undefined> {
  const seen = new Set<string>();
  for (const place of state === undefined ? jobStates : [state]) {
    for await (const jobIds of pagesOf[place](queue)) {
      const jobs: (Job | undefined)[] = await Promise.all(jobIds.map((jobId) => queue.getJob(jobId)));
      for (const job of jobs) {
        const description = job && descriptionOf(job, place);
        const isWanted = state === undefined || description?.state === state;
        if (description === undefined || !isWanted || seen.has(description.jobId)) continue;
        seen.add(description.jobId);
        yield description;
      }
    }
  }
}

/** The states in the order in which a queue lists them. */
export const jobStates: readonly JobState[] = ["delayed", "waiting", "active", "completed", "rejected"];

/** BullMQ keeps the waiting jobs of a paused queue in a list of their own. */
async function* pagesOfWaiting(queue: Queue): AsyncGenerator<readonly string[]> {
  yield* pagesOfList(queue, "wait");
  yield* pagesOfList(queue, "paused");
}

/** Starts with the latest: workers take jobs from the other end, so that no job moves to a page that was read. */
async function* pagesOfList(queue: Queue, list: string): AsyncGenerator<readonly string[]> {
  const client = await queue.backend.client;
  for (let start = 0; ; start += pageSize) {
    const jobIds = await client.lrange(queue.toKey(list), start, start + pageSize - 1);
    yield jobIds;
    if (jobIds.length < pageSize) return;
  }
}

const pageScripts = {
  ascending: {
    name: "lroPollerJobsFrom",
    numberOfKeys: 1,
    lua: "return redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', ARGV[2], ARGV[3])",
    start: "-inf",
  },
  descending: {
    name: "lroPollerJobsUntil",
    numberOfKeys: 1,
    lua: "return redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[1], '-inf', 'WITHSCORES', 'LIMIT', ARGV[2], ARGV[3])",
    start: "+inf",
  },
} as const;

/** Continues after a score and not after a rank, which changes with each job that comes or goes. */
async function* pagesByScore(
  queue: Queue,
  set: string,
  direction: keyof typeof pageScripts,
): AsyncGenerator<readonly string[]> {
  const { start, ...script } = pageScripts[direction];
  let score: string = start;
  let readOfScore = 0;
  for (;;) {
    const reply = await runScript(queue, script, [queue.toKey(set), score, readOfScore, pageSize]);
    const entries = Array.isArray(reply) ? reply.map(String) : [];
    const scores = entries.filter((_, index) => index % 2 === 1);
    yield entries.filter((_, index) => index % 2 === 0);
    const last = scores.at(-1);
    if (last === undefined || scores.length < pageSize) return;
    readOfScore = scores.filter((other) => other === last).length + (last === score ? readOfScore : 0);
    score = last;
  }
}
