import { AsyncLocalStorage } from "node:async_hooks";
import type { StepResult, Stepper } from "lro-poller/durable";
import type { FromWorker, HeldMoment, ToWorker } from "./messages.ts";
import { workerOptions } from "./worker-options.ts";

/** Whether the request is one of a second delivery, whose result nobody saves. */
export const isSecondDelivery = new AsyncLocalStorage<true>();

const { release, delivers } = workerOptions;

export function tell(message: FromWorker): void {
  process.send?.(message);
}

let moment: HeldMoment | undefined;
process.on("message", (message: ToWorker) => {
  moment = message.holdAt;
});

/** Stops at this moment if the kit wants to kill the process there. */
export async function holdAt(reached: HeldMoment): Promise<void> {
  if (moment !== reached || isSecondDelivery.getStore()) return;
  moment = undefined;
  tell({ type: "held" });
  await new Promise(() => {});
}

type Json = Record<string, unknown>;

/** Every third state is delivered twice, and every third one early or late. */
let steps = 0;

/** Makes steps with second deliveries, early ones and late ones, and those of a newer release. */
export function disturb(stepper: Stepper): Stepper {
  return {
    async step(state, options) {
      const before: Json = JSON.parse(JSON.stringify(state));
      noteHandOver(before);
      const turn = delivers === "twice" ? ++steps % 6 : 0;
      if (turn === 1) deliverAgain(before);
      if (turn === 3) await new Promise((resolve) => setTimeout(resolve, 3000));
      const result = await stepper.step(before, options);
      await holdAt("after the poll");
      if (turn === 5) await deliverEarly(result);
      if (turn === 2) setTimeout(() => deliverAgain(before), 1000);
      if (result.type === "ended") return result;
      if ("newer" in before) checkFieldsOf(result.state);
      return { ...result, state: Object.assign(result.state, fieldsOf(result.state)) };
    },
  };

  /** Another worker has the same state: what it makes of it, the engine rejects. */
  function deliverAgain(state: Json): void {
    isSecondDelivery.run(true, () => {
      stepper
        .step(state)
        .catch((error: unknown) => tell({ type: "wrong", text: `delivered twice: ${String(error)}` }));
    });
  }

  async function deliverEarly(result: StepResult): Promise<void> {
    if (result.type === "ended" || result.delayInMs < 500) return;
    const early = await stepper.step(JSON.parse(JSON.stringify(result.state)));
    if (early.type === "ended" || early.progress)
      tell({ type: "wrong", text: "polled although it was early" });
  }
}

/** A field in each place in which a newer version may have one. */
const newer = { since: "a newer release" };

/** Returns what this release writes: its name, and the next one a field at each level too. */
function fieldsOf(state: object): object {
  if (release !== "next") return { writtenBy: release };
  const { token, options }: { token?: Json; options?: Json } = state;
  const { operation }: { operation?: Json } = token ?? {};
  return {
    writtenBy: release,
    newer,
    options: { ...options, newer },
    token: { ...token, newer, operation: { ...operation, newer } },
  };
}

function noteHandOver({ writtenBy }: { writtenBy?: string }): void {
  if (writtenBy !== undefined && writtenBy !== release)
    tell({ type: "handedOver", from: writtenBy, to: release });
}

/** No release may lose what a newer one has written. */
function checkFieldsOf(state: object): void {
  const { token, options }: { token?: Json; options?: Json } = state;
  const { operation }: { operation?: Json } = token ?? {};
  const places: Record<string, object | undefined> = { state, options, token, operation };
  for (const [name, place = {}] of Object.entries(places)) {
    if (!("newer" in place)) tell({ type: "wrong", text: `${name} has lost the field of a newer release` });
  }
}
