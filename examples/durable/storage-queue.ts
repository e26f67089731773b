import { setTimeout as delay } from "node:timers/promises";
import { QueueClient, RestError } from "@azure/storage-queue";
import type { DequeuedMessageItem } from "@azure/storage-queue";
import { firstState, operationKey } from "lro-poller/durable";
import type { FirstStateOptions, OperationSource, StepOutcome, StepState, Stepper } from "lro-poller/durable";

export async function openQueue(connection: string): Promise<QueueClient> {
  const queue = new QueueClient(connection, "waits");
  await queue.createIfNotExists();
  return queue;
}

export async function startWait(
  queue: QueueClient,
  source: OperationSource,
  options?: FirstStateOptions,
): Promise<string> {
  await queue.sendMessage(JSON.stringify(firstState(source, options)), { messageTimeToLive: -1 });
  return operationKey(source);
}

/** Saves an outcome by its key. A worker that was killed lets another one call it again. */
export type OnEnded = (key: string, outcome: StepOutcome) => Promise<void>;

export async function work(
  queue: QueueClient,
  stepper: Stepper,
  onEnded: OnEnded,
  visibilityTimeout = 60,
): Promise<never> {
  for (;;) {
    const batch = { numberOfMessages: 16, visibilityTimeout };
    const visibleAt = Date.now() + visibilityTimeout * 1000;
    const { receivedMessageItems: messages } = await queue.receiveMessages(batch);
    await Promise.all(messages.map((message) => poll(message, visibleAt).catch(report)));
    if (messages.length === 0) await delay(500);
  }

  async function poll(message: DequeuedMessageItem, visibleAt: number): Promise<void> {
    const { messageText, messageId, popReceipt } = message;
    const state: StepState = JSON.parse(messageText);
    const beforePoll = (): void => {
      if (Date.now() >= visibleAt)
        throw new Error("The process was suspended: another may have the message.");
    };
    const result = await stepper.step(state, { beforePoll });
    if (result.type === "again") {
      // State and delay at once, and only for the worker that has the message now.
      const seconds = Math.ceil(result.delayInMs / 1000);
      await queue.updateMessage(messageId, popReceipt, JSON.stringify(result.state), seconds);
    } else {
      await onEnded(operationKey(state.token), result.outcome);
      await queue.deleteMessage(messageId, popReceipt);
    }
  }
}

/** The message becomes visible again, and is polled by this worker or another. */
function report(error: unknown): void {
  const isOfAnotherWorker = error instanceof RestError && error.statusCode === 404;
  if (!isOfAnotherWorker) console.error(error);
}
