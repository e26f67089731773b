import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { OperationStatusesClient } from "lro-poller";
import type { DevBox, StartedPoller } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { Fault, OperationPlan } from "lro-poller/testing";
import { fast } from "../azure/lro/support.ts";
import { rejection } from "../support/rejections.ts";

// The polls of an operation that is NotStarted, Running, then Succeeded, and the request for its result, a dev box.
const phases = [
  ["the first poll", 1],
  ["a poll in between", 2],
  ["the last poll", 3],
  ["the GET of the result", 4],
] as const;
const lastPoll = 3;

const json = "application/json";
const manyHeaders = Object.fromEntries(Array.from({ length: 10_000 }, (_, nth) => [`x-${nth}`, "value"]));
const longAgo = "Wed, 01 Jan 2020 00:00:00 GMT";
const soonAfter = "Wed, 01 Jan 2020 00:00:03 GMT";

/** Faults that are retried: the wait ends with the operation's result. */
const transient: [string, Fault][] = [
  ["a 404 in the grace period", { kind: "status", status: 404 }],
  ["a 408", { kind: "status", status: 408 }],
  ["a 429 without Retry-After", { kind: "status", status: 429 }],
  ["a 429 with Retry-After", { kind: "status", status: 429, retryAfter: 3 }],
  ["a 429 with Retry-After of nonsense", { kind: "status", status: 429, retryAfter: "soon" }],
  ["a 500", { kind: "status", status: 500 }],
  ["a 501", { kind: "status", status: 501 }],
  ["a 502 of a gateway, in HTML", { kind: "status", status: 502, body: "<html>Bad Gateway</html>" }],
  ["a 503 with Retry-After", { kind: "status", status: 503, retryAfter: 3 }],
  [
    "a 503 with a date of another age as Retry-After",
    { kind: "status", status: 503, retryAfter: soonAfter, headers: { date: longAgo } },
  ],
  ["a 504 whose JSON is no error", { kind: "status", status: 504, body: { a: 1 } }],
  ["a 599", { kind: "status", status: 599 }],
  ["an HTML page", { kind: "body", text: "<html>Maintenance</html>" }],
  ["an HTML page that claims to be JSON", { kind: "body", text: "<html>", contentType: json }],
  ["half a JSON document", { kind: "body", text: '{"status": "Succ', contentType: json }],
  ["a connection reset before the headers", { kind: "reset" }],
  ["a connection reset after the headers", { kind: "reset", when: "afterHeaders" }],
  ["a connection reset within the body", { kind: "reset", when: "midBody" }],
  ["a connection closed after the response", { kind: "reset", when: "afterBody" }],
  ["no response", { kind: "hang" }],
  ["no body", { kind: "hang", when: "afterHeaders" }],
  ["half a body and then nothing", { kind: "hang", when: "midBody" }],
  ["a response in small chunks", { kind: "slow", chunkBytes: 50, delayInMs: 1 }],
  ["a response after the request timeout", { kind: "late", delayInMs: 150 }],
  ["a late response", { kind: "late", delayInMs: 5 }],
  ["a body of 5 MB", { kind: "long", bytes: 5_000_000 }],
  ["a compressed body of 5 MB", { kind: "long", bytes: 5_000_000, gzip: true }],
  ["a compressed body of 200 MB", { kind: "long", bytes: 200_000_000, gzip: true }],
  ["10,000 headers", { kind: "headers", headers: manyHeaders }],
  ["a wrong content type", { kind: "headers", headers: { "content-type": "image/png" } }],
  [
    "a content encoding that the body does not have",
    { kind: "headers", headers: { "content-encoding": "gzip" } },
  ],
];

/** Bodies without a usable status. As the result, an empty body, any JSON and an old state of the resource are valid. */
const transientPolls: [string, Fault][] = [
  ["an empty body", { kind: "body", text: "", contentType: json }],
  ["a 204", { kind: "status", status: 204, body: "" }],
  ["JSON that is null", { kind: "body", text: "null", contentType: json }],
  ["JSON that is a list", { kind: "body", text: "[]", contentType: json }],
  ["JSON without a status", { kind: "body", text: "{}", contentType: json }],
  ["a status that is null", { kind: "body", text: '{"status": null}', contentType: json }],
  ["a status that is empty", { kind: "body", text: '{"status": ""}', contentType: json }],
  ["a status that is a number", { kind: "body", text: '{"status": 7}', contentType: json }],
  ["a stale status", { kind: "stale" }],
];

/** Permanent failures: reported at once. */
const permanent: [string, Fault, object][] = [
  ["a 400", { kind: "status", status: 400 }, { statusCode: 400, code: "Fault400" }],
  ["a 401", { kind: "unauthorized" }, { statusCode: 401, code: "Unauthorized" }],
  ["a 403", { kind: "status", status: 403 }, { statusCode: 403, code: "Fault403" }],
  ["a 405", { kind: "status", status: 405 }, { statusCode: 405, code: "Fault405" }],
  ["a 410", { kind: "status", status: 410 }, { statusCode: 410, code: "Fault410" }],
  [
    "a redirect elsewhere",
    { kind: "redirect", location: "https://example.com/" },
    { statusCode: 307, code: "OriginRefused" },
  ],
];

const plans = new Map<string, OperationPlan>();
const server = await startOperationServer({
  onInitialRequest: ({ url }) => plans.get(url.pathname.split("/").at(-1) ?? ""),
});
afterAll(() => server.close());

interface Wait {
  readonly boxName: string;
  readonly poller: StartedPoller<DevBox>;
}

/** Creates a dev box, with a fault of the given poll. */
function createDevBox(fault: Fault, poll: number): Wait {
  const boxName = `box-${randomUUID()}`;
  const timeline = [
    { status: "NotStarted", polls: 1 },
    { status: "Running", polls: 1, percentComplete: 50 },
    { status: "Succeeded" },
  ];
  const faults =
    poll > lastPoll ? { resourceFaults: { [poll - lastPoll]: fault } } : { faults: { [poll]: fault } };
  plans.set(boxName, { timeline, ...faults });
  const client = new OperationStatusesClient(server.endpoint);
  // Only hanging and late responses may reach the request timeout of 100 ms.
  const isAwaited = fault.kind === "hang" || fault.kind === "late";
  const options = fast<DevBox>(isAwaited ? { requestTimeoutInMs: 100_000 } : {});
  return { boxName, poller: client.createDevBox("myProject", "me", boxName, { poolName: "pool" }, options) };
}

describe.each(phases)("on %s", (_, poll) => {
  const retried = poll > lastPoll ? transient : [...transient, ...transientPolls];

  test.concurrent.each(retried)("%s does not change the result", async (_name, fault) => {
    const { boxName, poller } = createDevBox(fault, poll);
    expect(await poller.pollUntilDone()).toMatchObject({ name: boxName, provisioningState: "Succeeded" });
  });

  test.concurrent.each(permanent)(
    "%s ends the wait at once, and the wait can be started again",
    async (_name, fault, details) => {
      const { boxName, poller } = createDevBox(fault, poll);
      const failure = await rejection(poller.pollUntilDone());
      const lastStatus = ["NotStarted", "NotStarted", "Running", "Succeeded"][poll - 1];
      expect(failure).toMatchObject({ name: "PollingError", ...details, operation: { status: lastStatus } });
      expect(await poller.pollUntilDone()).toMatchObject({ name: boxName, provisioningState: "Succeeded" });
    },
  );
});

test.each(phases)(
  "a server that is offline on %s and comes back does not change the result",
  async (_, poll) => {
    const restarted = await startOperationServer({
      onInitialRequest: () => ({ timeline: [{ status: "Running", polls: 2 }, { status: "Succeeded" }] }),
    });
    onTestFinished(() => restarted.close());
    const client = new OperationStatusesClient(restarted.endpoint);
    const poller = client.createDevBox("myProject", "me", "box", { poolName: "pool" }, fast<DevBox>());
    // The first one gets the status from the initial response.
    for (let polls = 0; polls < poll; polls++) await poller.poll();
    await restarted.goOffline();
    // The client may not have noticed yet that its connection is closed. A new one is refused.
    const broken = { name: "PollingError", code: expect.stringMatching(/^ECONN(RESET|REFUSED)$/) };
    expect(await rejection(poller.poll())).toMatchObject(broken);
    expect(await rejection(poller.poll())).toMatchObject({ name: "PollingError", code: "ECONNREFUSED" });
    await restarted.goOnline();
    expect(await poller.pollUntilDone()).toMatchObject({ name: "box", provisioningState: "Succeeded" });
  },
);
