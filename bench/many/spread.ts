import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import { OperationStatusesClient, pollAll } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { createFakeHttpClient } from "./fake-http-client.ts";
import { idOf, statusText } from "./operations.ts";
import { withTimersOf } from "./lent-timers.ts";

/** Measures, in virtual time, the largest share of a round's requests within 50 ms, for 500 waits started at once. */
const count = 500;
const rounds = 6;
const windowInMs = 50;

type OnRequest = (index: number) => void;

function ours(clock: VirtualClock, onRequest: OnRequest): void {
  const httpClient = createFakeHttpClient((id) => {
    onRequest(Number.parseInt(id, 16));
    return "Running";
  });
  const client = new OperationStatusesClient("https://dev.example", undefined, { httpClient });
  const operations = Array.from({ length: count }, (_, index) => client.operation("myProject", idOf(index)));
  void pollAll(operations, { clock });
}

function coreLro(_clock: VirtualClock, onRequest: OnRequest): void {
  const request = { method: "POST", url: "https://dev.example/" };
  const headers = { "operation-location": "https://dev.example/1" };
  const respond = (): Promise<OperationResponse> => {
    const body: unknown = JSON.parse(statusText(idOf(0)));
    return Promise.resolve({ flatResponse: body, rawResponse: { statusCode: 200, headers, body, request } });
  };
  for (let index = 0; index < count; index++) {
    const sendPollRequest = (): Promise<OperationResponse> => {
      onRequest(index);
      return respond();
    };
    void createHttpPoller({ sendInitialRequest: respond, sendPollRequest }).pollUntilDone();
  }
}

/** Returns the largest share of any round's requests within a window, in percent. */
function densest(times: readonly number[][]): number {
  const shares = Array.from({ length: rounds }, (_, round) => {
    const ofRound = times.map((ofOne) => ofOne[round] ?? Infinity).toSorted((a, b) => a - b);
    return ofRound.map((start, place) => {
      const end = ofRound.findIndex((time) => time >= start + windowInMs);
      return (end < 0 ? ofRound.length : end) - place;
    });
  });
  return (100 * Math.max(...shares.flat())) / count;
}

async function measure(fleet: (clock: VirtualClock, onRequest: OnRequest) => void): Promise<number> {
  const clock = createVirtualClock();
  const times = Array.from({ length: count }, (): number[] => []);
  await withTimersOf(clock, async () => {
    fleet(clock, (index) => times[index]?.push(clock.now()));
    while (times.some((ofOne) => ofOne.length < rounds)) await clock.advance(25);
  });
  return densest(times);
}

console.log(JSON.stringify({ "lro-poller": await measure(ours), "core-lro": await measure(coreLro) }));
process.exit();
