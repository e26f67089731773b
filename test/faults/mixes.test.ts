import { expect, test } from "vitest";
import { runWaits } from "./waits.ts";

// `npm run test:faults` runs thousands, with another seed each time.
test("a hundred waits through seeded faults end as their operations did, and leave nothing behind", async () => {
  const { right, counts } = await runWaits(1, 100);
  expect({ right, ...counts }).toEqual({
    right: 100,
    wrong: 0,
    lost: 0,
    hung: 0,
    earlyPolls: 0,
    concurrentPolls: 0,
    pollsAfterEnd: 0,
    unhandledRejections: 0,
    uncaughtExceptions: 0,
    timersLeft: 0,
    listenersLeft: 0,
    requestsLeft: 0,
    socketsLeft: 0,
  });
});
