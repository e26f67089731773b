import { vi } from "vitest";
import { pollUntilDone } from "lro-poller";
import { scriptedOperation } from "lro-poller/testing";

vi.useFakeTimers();
const operation = scriptedOperation([{ status: "Running", retryAfterInMs: 3_600_000 }, "Succeeded"]);
const result = pollUntilDone(operation);
await vi.runAllTimersAsync();
await result;
vi.useRealTimers();
console.log(operation.polls.length, "polls");
