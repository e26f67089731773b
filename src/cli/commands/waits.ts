import { createPollerGroup } from "../../index.ts";
import type { Operation, Poller } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { outcomeOf } from "../output/wait-outcome.ts";
import type { WaitOutcome } from "../output/wait-outcome.ts";
import type { WaitHistory } from "./history.ts";
import type { Reporter } from "../output/reporter.ts";
import type { Target } from "../input/targets.ts";

/** The parts that the waits of one command share. */
interface WaitSetting {
  readonly reporter: Reporter;
  readonly history: WaitHistory | undefined;
  readonly interruption: AbortSignal;
  readonly pollOptions: NonNullable<CliContext["pollOptions"]>;
}

/** Waits for all operations. Returns the outcomes in no particular order. */
export async function waitForAll(targets: readonly Target[], setting: WaitSetting): Promise<WaitOutcome[]> {
  const alone: Promise<WaitOutcome>[] = [];
  const together = new Map<Operation, number>();
  for (const [index, target] of targets.entries()) {
    // A group has the same options for all, but past durations belong to one wait.
    if (target.operation === undefined || setting.history) alone.push(waitAlone(target, index, setting));
    else together.set(target.operation, index);
  }
  return (await Promise.all([waitTogether(together, setting), ...alone])).flat();
}

async function waitAlone(target: Target, index: number, setting: WaitSetting): Promise<WaitOutcome> {
  const { reporter, history, interruption, pollOptions } = setting;
  const poller = target.createPoller((await history?.options(pollOptions)) ?? pollOptions);
  report(poller, index, reporter);
  const outcome = await poller
    .pollUntilDone({ abortSignal: interruption })
    .then(succeeded, (error: unknown): WaitOutcome =>
      isInterruption(error, interruption) ? interrupted(error, poller) : outcomeOf(error),
    );
  reporter.ended(index, outcome);
  return outcome;
}

async function waitTogether(
  indexes: ReadonlyMap<Operation, number>,
  { reporter, interruption, pollOptions }: WaitSetting,
): Promise<WaitOutcome[]> {
  const group = createPollerGroup({ ...pollOptions, abortSignal: interruption });
  const underWay = new Map<Operation, { readonly index: number; readonly poller: Poller }>();
  for (const [operation, index] of indexes) {
    const poller = group.add(operation);
    report(poller, index, reporter);
    underWay.set(operation, { index, poller });
  }
  const outcomes: WaitOutcome[] = [];
  const end = (index: number, outcome: WaitOutcome): void => {
    outcomes.push(outcome);
    reporter.ended(index, outcome);
  };
  try {
    for await (const { operation, result } of group) {
      const { index } = underWay.get(operation) ?? {};
      underWay.delete(operation);
      if (index === undefined) continue;
      end(index, result.status === "fulfilled" ? succeeded(result.value) : outcomeOf(result.reason));
    }
  } catch (error) {
    if (!isInterruption(error, interruption)) throw error;
    for (const { index, poller } of underWay.values()) end(index, interrupted(error, poller));
  }
  return outcomes;
}

function report(poller: Poller, index: number, reporter: Reporter): void {
  poller.onProgress((progress) => reporter.progress(index, progress));
  poller.onFailedPoll((failedPoll) => reporter.failedPoll(index, failedPoll));
}

function isInterruption(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && error === reason;
}

function succeeded(result: unknown): WaitOutcome {
  return { type: "succeeded", result };
}

function interrupted(reason: unknown, poller: Poller): WaitOutcome {
  return { type: "interrupted", reason, resumeToken: JSON.stringify(poller) };
}
