import { expect, test } from "vitest";
import { createPoller } from "lro-poller";
import { scriptedOperation } from "lro-poller/testing";

test("an invalid date is described as one", () => {
  expect(() => createPoller(scriptedOperation([]), { startedAt: new Date("last week") })).toThrow(
    "startedAt: expected a date or milliseconds since 1970, got Invalid Date",
  );
});
