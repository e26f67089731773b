import { expect, test } from "vitest";
import { isLong } from "../support/long.ts";
import { runWaits } from "./waits.ts";

const waits = isLong ? 100 : 30;

// `npm run test:faults` runs thousands, with another seed each time.
test(`${waits} waits through seeded faults end as their operations did, and leave nothing behind`, async () => {
  const { right, counts } = await runWaits(1, waits);
  expect({ right, ...counts }).toEqual({
    right: waits,
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
