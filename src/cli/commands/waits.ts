import { createPollerGroup } from "../../index.ts";
import type { Operation, Poller } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { endingOf } from "../output/wait-result.ts";
import type { WaitResult } from "../output/wait-result.ts";
import type { WaitHistory } from "./history.ts";
import type { Reporter } from "../output/reporter.ts";
import type { Target } from "../input/targets.ts";

/** What all waits of one command have in common. */
export interface WaitSetting {
  readonly reporter: Reporter;
  readonly history: WaitHistory;
  readonly interruption: AbortSignal;
  readonly pollOptions: NonNullable<CliContext["pollOptions"]>;
}

/** Waits for all, and gives their endings in no order. */
export async function waitForAll(targets: readonly Target[], setting: WaitSetting): Promise<WaitResult[]> {
  const alone: Promise<WaitResult>[] = [];
  const together = new Map<Operation, number>();
  for (const [place, target] of targets.entries()) {
    // Options of a wait that has a past are its own, and a group has the same for all.
    if (target.operation === undefined || setting.history.isKept)
      alone.push(waitAlone(target, place, setting));
    else together.set(target.operation, place);
  }
  return (await Promise.all([waitTogether(together, setting), ...alone])).flat();
}

async function waitAlone(target: Target, place: number, setting: WaitSetting): Promise<WaitResult> {
  const { reporter, history, interruption, pollOptions } = setting;
  const options = await history.options({
    ...pollOptions,
    onProgress: (progress) => reporter.progress(place, progress),
    onFailedPoll: (failedRead) => reporter.failedRead(place, failedRead),
  });
  const poller = target.createPoller(options);
  const ending = await poller
    .pollUntilDone({ abortSignal: interruption })
    .then(succeeded, (error: unknown): WaitResult =>
      isInterruption(error, interruption) ? interrupted(error, poller) : endingOf(error),
    );
  reporter.ended(place, ending);
  return ending;
}

async function waitTogether(
  places: ReadonlyMap<Operation, number>,
  { reporter, interruption, pollOptions }: WaitSetting,
): Promise<WaitResult[]> {
  const group = createPollerGroup({ ...pollOptions, abortSignal: interruption });
  const underWay = new Map<Operation, { readonly place: number; readonly poller: Poller }>();
  for (const [operation, place] of places) {
    underWay.set(operation, { place, poller: reported(group.add(operation), place, reporter) });
  }
  const endings: WaitResult[] = [];
  const end = (place: number, ending: WaitResult): void => {
    endings.push(ending);
    reporter.ended(place, ending);
  };
  try {
    for await (const { operation, result } of group) {
      const { place } = underWay.get(operation) ?? {};
      underWay.delete(operation);
      if (place !== undefined) end(place, endingOfResult(result));
    }
  } catch (error) {
    if (!isInterruption(error, interruption)) throw error;
    for (const { place, poller } of underWay.values()) end(place, interrupted(error, poller));
  }
  return endings;
}

function endingOfResult(result: PromiseSettledResult<unknown>): WaitResult {
  return result.status === "fulfilled" ? succeeded(result.value) : endingOf(result.reason);
}

function reported(poller: Poller, place: number, reporter: Reporter): Poller {
  poller.onProgress((progress) => reporter.progress(place, progress));
  poller.onFailedPoll((failedRead) => reporter.failedRead(place, failedRead));
  return poller;
}

function isInterruption(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && error === reason;
}

function succeeded(result: unknown): WaitResult {
  return { type: "succeeded", result };
}

function interrupted(reason: unknown, poller: Poller): WaitResult {
  return { type: "interrupted", reason, resumeToken: JSON.stringify(poller) };
}
