import type { ServiceBusReceiver, ServiceBusSender } from "@azure/service-bus";
import { firstState, operationKey } from "lro-poller/durable";
import type { FirstStateOptions, OperationSource, StepOutcome, StepState, Stepper } from "lro-poller/durable";

/** With duplicate detection, the queue drops a second start of the same operation. */
export async function startWait(
  sender: ServiceBusSender,
  source: OperationSource,
  options?: FirstStateOptions,
): Promise<string> {
  const messageId = operationKey(source);
  await sender.sendMessages({ messageId, body: firstState(source, options) });
  return messageId;
}

/** Saves an outcome by its key. It may be called again. */
export type OnEnded = (key: string, outcome: StepOutcome) => Promise<void>;

export function startWorker(
  receiver: ServiceBusReceiver,
  sender: ServiceBusSender,
  stepper: Stepper,
  onEnded: OnEnded,
): void {
  const options = { autoCompleteMessages: false, maxConcurrentCalls: 16 };
  const processError = async ({ error }: { error: Error }): Promise<void> => console.error(error);
  receiver.subscribe({ processMessage, processError }, options);

  async function processMessage(
    message: Parameters<ServiceBusReceiver["completeMessage"]>[0],
  ): Promise<void> {
    const state: StepState = message.body;
    const result = await stepper.step(state);
    const key = operationKey(state.token);
    if (result.type === "again") {
      // The same id for the same poll: of two deliveries, duplicate detection drops the second next message.
      const messageId = `${key}-${result.state.token.pollCount}-${result.state.token.failedPollCount}`;
      const next = { messageId, body: result.state };
      await sender.scheduleMessages(next, new Date(Date.now() + result.delayInMs));
    } else {
      await onEnded(key, result.outcome);
    }
    await receiver.completeMessage(message);
  }
}
