import { createHttpHeaders, createPipelineRequest, RestError } from "@azure/core-rest-pipeline";
import { expect, test } from "vitest";
import { createPoller, fromPollerLike } from "lro-poller";
import type { LegacyAzurePoller, LegacyAzureState } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";

/** A poller like those of Key Vault and Blob Storage: once canceled, it takes the operation for over. */
class OlderPoller implements LegacyAzurePoller<string> {
  readonly state: LegacyAzureState<string> & { readonly config?: object } = {};
  readonly calls: string[] = [];
  readonly #cancel: () => void;
  readonly #pollsToEnd: number;

  constructor(cancel: () => void, pollsToEnd = 3) {
    this.#cancel = cancel;
    this.#pollsToEnd = pollsToEnd;
  }

  async poll(): Promise<void> {
    if (this.state.isCancelled) return;
    this.calls.push("poll");
    if (this.calls.length > this.#pollsToEnd) {
      this.state.isCompleted = true;
      this.state.result = "done";
    }
  }

  async cancelOperation(): Promise<void> {
    this.calls.push("cancel");
    this.#cancel();
    this.state.isCancelled = true;
  }

  getOperationState(): LegacyAzureState<string> {
    return this.state;
  }

  toString(): string {
    return "{}";
  }
}

test("an older SDK's poller asks its service, and goes on to the true outcome", async () => {
  const azure = new OlderPoller(() => {});
  const clock = createVirtualClock();
  const poller = createPoller(fromPollerLike<string>(azure), { clock });
  const result = await clock.runUntilSettled(poller.cancelOperation());
  expect(result).toEqual({ outcome: "tooLate", status: "Succeeded" });
  expect(azure.calls.filter((call) => call === "cancel")).toHaveLength(1);
  expect(await poller.pollUntilDone()).toBe("done");
});

test("the reason of a service that refuses is told", async () => {
  const azure = new OlderPoller(() => {
    const request = createPipelineRequest({ url: "https://service.example" });
    const response = { request, status: 409, headers: createHttpHeaders(), bodyAsText: "" };
    throw new RestError("conflict", { statusCode: 409, request, response });
  }, 100);
  const clock = createVirtualClock();
  const poller = createPoller(fromPollerLike<string>(azure), { clock });
  const result = await clock.runUntilSettled(poller.cancelOperation());
  expect(result).toMatchObject({ outcome: "refused", status: "Running", error: { statusCode: 409 } });
});

test("an SDK whose service has no cancel says so", async () => {
  const azure = new OlderPoller(() => {
    throw new Error("Canceling the deletion of a key is not supported.");
  });
  const clock = createVirtualClock();
  const call = createPoller(fromPollerLike<string>(azure), { clock }).cancelOperation();
  await expect(clock.runUntilSettled(call)).rejects.toMatchObject({
    code: "CancelNotSupported",
    message: "Canceling the deletion of a key is not supported.",
  });
});

test("core-lro's own class cannot cancel: its method sends nothing", async () => {
  const azure = Object.assign(new OlderPoller(() => {}), { state: { config: {} } });
  const call = createPoller(fromPollerLike<string>(azure)).cancelOperation();
  await expect(call).rejects.toMatchObject({ code: "CancelNotSupported" });
  expect(azure.calls).toEqual([]);
});
