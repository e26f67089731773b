import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { LroClient, PollingError, pollUntilDone, systemClock } from "lro-poller";
import { runCli } from "../cli/run-cli.ts";
import { fastClock } from "../support/clock.ts";
import { rejection } from "../support/rejections.ts";

/** Returns an origin of this machine where nothing listens. */
async function refusingOrigin(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}

const options = { requestTimeoutInMs: Infinity, random: () => 0 };

test("an endpoint that refuses connections is told after a few polls", async () => {
  const origin = await refusingOrigin();
  const clock = fastClock(systemClock);
  const wait = pollUntilDone(new LroClient(origin).operationAt("/operations/1"), { ...options, clock });
  const error = await rejection(wait, PollingError);
  expect(error).toMatchObject({
    code: "ECONNREFUSED",
    message: expect.stringMatching(/ECONNREFUSED 127\.0\.0\.1:\d+\. Check the endpoint\.$/),
  });
  expect(error.pollCount).toBeLessThanOrEqual(4);
});

test("a host that does not exist is told after a few polls", async () => {
  const clock = fastClock(systemClock);
  // RFC 6761: no name server may know it.
  const operation = new LroClient("https://lro-poller.invalid").operationAt("/operations/1");
  const error = await rejection(pollUntilDone(operation, { ...options, clock }), PollingError);
  expect(error.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  expect(error.message).toMatch(/Check the endpoint\.$/);
  expect(error.pollCount).toBeLessThanOrEqual(4);
});

test("the command tells it, too", async () => {
  const { exitCode, stderr } = await runCli(["wait", `${await refusingOrigin()}/operations/1`], {
    pollOptions: { ...options, outageToleranceInMs: 300_000 },
  });
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("Check the endpoint.");
});
