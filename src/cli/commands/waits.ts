import { createPollerGroup } from "../../index.ts";
import type { Operation, Poller } from "../../index.ts";
import { Interruption } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { exitCodes } from "../output/exit-codes.ts";
import { isOver, outcomeOf } from "../output/wait-outcome.ts";
import type { WaitOutcome } from "../output/wait-outcome.ts";
import { Cancels } from "./cancels.ts";
import type { CancelSetting } from "./cancels.ts";
import type { WaitHistory } from "./history.ts";
import type { Reporter } from "../output/reporter.ts";
import type { CarriedOptions } from "../output/resume-command.ts";
import type { Target } from "../input/targets.ts";

/** The parts that the waits of one command share. */
interface WaitSetting {
  readonly options: Pick<CarriedOptions, "any" | "failFast" | "onTimeout">;
  readonly reporter: Reporter;
  /** Returns whether the progress of a wait is shown. Default: that of each is. */
  readonly isFollowed?: (index: number) => boolean;
  readonly history: WaitHistory | undefined;
  readonly interruption: AbortSignal;
  readonly prompt?: CliContext["prompt"];
  readonly pollOptions: NonNullable<CliContext["pollOptions"]>;
  /** Shows a question, or removes it. Default: there is nobody to ask. */
  readonly showQuestion?: CancelSetting["showQuestion"];
}

/** Waits for all operations. Returns the outcomes in the order in which the waits ended. */
export async function waitForAll(targets: readonly Target[], setting: WaitSetting): Promise<WaitOutcome[]> {
  const waits = new Waits(targets, setting);
  const alone: Promise<void>[] = [];
  const together = new Map<Operation, number>();
  for (const [index, target] of targets.entries()) {
    // A group has the same options for all, but past durations belong to one wait.
    if (target.operation === undefined || setting.history) alone.push(waits.waitAlone(target, index));
    else together.set(target.operation, index);
  }
  await Promise.all([waits.waitTogether(together), ...alone]);
  waits.close();
  return waits.outcomes;
}

class Waits {
  readonly outcomes: WaitOutcome[] = [];
  readonly #setting: WaitSetting;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #targets: readonly Target[];
  readonly #cancels: Cancels;

  constructor(targets: readonly Target[], setting: WaitSetting) {
    const { interruption, options, showQuestion = () => {} } = setting;
    const { any = false, failFast = false } = options;
    this.#setting = setting;
    this.#targets = targets;
    this.#cancels = new Cancels({ ...setting, onTimeout: options.onTimeout, showQuestion });
    this.#signal = any || failFast ? AbortSignal.any([interruption, this.#stop.signal]) : interruption;
  }

  close(): void {
    this.#cancels.close();
  }

  async waitAlone(target: Target, index: number): Promise<void> {
    const { history, pollOptions } = this.#setting;
    const poller = target.createPoller((await history?.options(pollOptions, target.kind)) ?? pollOptions);
    this.#report(poller, index);
    const outcome = await poller
      .pollUntilDone({ abortSignal: this.#signal })
      .then(succeeded, (error: unknown): WaitOutcome =>
        this.#isInterruption(error) ? interrupted(error, poller) : outcomeOf(error),
      );
    await this.#end(index, outcome, poller);
  }

  async waitTogether(indexes: ReadonlyMap<Operation, number>): Promise<void> {
    const group = createPollerGroup({ ...this.#setting.pollOptions, abortSignal: this.#signal });
    // By poller: an operation may have several names.
    const operationOf = new Map<Poller, Operation>();
    const underWay = new Map<Operation, { readonly indexes: number[]; readonly poller: Poller }>();
    const ends: Promise<void>[] = [];
    for (const [added, index] of indexes) {
      const poller = group.add(added);
      this.#report(poller, index);
      const operation = operationOf.get(poller) ?? added;
      operationOf.set(poller, operation);
      const { indexes: others } = underWay.get(operation) ?? { indexes: [] };
      underWay.set(operation, { indexes: [...others, index], poller });
    }
    try {
      for await (const { operation, result } of group) {
        const wait = underWay.get(operation);
        underWay.delete(operation);
        if (wait === undefined) continue;
        const outcome = result.status === "fulfilled" ? succeeded(result.value) : outcomeOf(result.reason);
        ends.push(...wait.indexes.map((index) => this.#end(index, outcome, wait.poller)));
      }
    } catch (error) {
      if (!this.#isInterruption(error)) throw error;
      for (const { indexes: ended, poller } of underWay.values())
        ends.push(...ended.map((index) => this.#end(index, interrupted(error, poller), poller)));
    }
    await Promise.all(ends);
  }

  #report(poller: Poller, index: number): void {
    const { reporter, isFollowed = () => true } = this.#setting;
    if (isFollowed(index)) poller.onProgress((progress) => reporter.progress(index, progress));
    poller.onFailedPoll((failedPoll) => reporter.failedPoll(index, failedPoll));
    const target = this.#targets[index];
    if (target) this.#cancels.started({ index, target, poller });
  }

  async #end(index: number, found: WaitOutcome, poller: Poller): Promise<void> {
    this.#cancels.ended(index);
    const target = this.#targets[index];
    // Nothing is awaited where nothing is canceled: the order in which waits end counts.
    const isCanceledLate = this.#setting.options.onTimeout === "cancel" && target !== undefined;
    this.#conclude(
      index,
      isCanceledLate ? await this.#cancels.afterTimeout(target, index, found) : found,
      poller,
    );
  }

  #conclude(index: number, found: WaitOutcome, poller: Poller): void {
    const { reporter, options } = this.#setting;
    const { any = false, failFast = false } = options;
    const { aborted, reason } = this.#stop.signal;
    // Two operations may be over at the same time: then the first one counts.
    const outcome = aborted ? interrupted(reason, poller) : found;
    this.outcomes.push(outcome);
    reporter.ended(index, outcome);
    if ((any && isOver(outcome)) || (failFast && outcome.type === "error")) {
      this.#stop.abort(new Interruption("another operation has ended", exitCodes.succeeded));
    }
  }

  #isInterruption(error: unknown): boolean {
    return this.#signal.aborted && error === this.#signal.reason;
  }
}

function succeeded(result: unknown): WaitOutcome {
  return { type: "succeeded", result };
}

function interrupted(reason: unknown, poller: Poller): WaitOutcome {
  return { type: "interrupted", reason, resumeToken: JSON.stringify(poller) };
}
