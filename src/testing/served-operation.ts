import { isTerminal } from "../index.ts";
import type { Clock, OperationState } from "../index.ts";
import { bodyDate, statusId } from "./responses.ts";
import type { StatusBody } from "./responses.ts";
import { checkFaults } from "./faults.ts";
import type { Fault, Faults } from "./faults.ts";
import { checkTimeline, percentAt, positionAt, start, usualTimeline } from "./timeline.ts";
import type { Age, Phase, Position, Timeline } from "./timeline.ts";

/** What an operation will do. */
export interface OperationPlan {
  /** Default: NotStarted for 1 s, Running for 8 s, Succeeded. */
  readonly timeline?: Timeline;
  /** The `Retry-After` header (seconds or a date) until the operation is over. Default: none, like the recordings. */
  readonly retryAfter?: string | number;
  /** What goes wrong, by the number of the read. */
  readonly faults?: Faults;
  /** What goes wrong with the reads of the resource that the operation is about, by their number. */
  readonly resourceFaults?: Faults;
  /** Whether its life begins when its status is first asked for. Default: at once. */
  readonly startsAtFirstPoll?: boolean;
}

/** Time as a server passes it. */
export interface Speed {
  readonly clock: Clock;
  /** How many milliseconds of a timeline pass in one of the clock's. */
  readonly speed: number;
}

/** An operation that lives on the server. */
export class ServedOperation {
  readonly projectName: string;
  readonly operationId: string;
  readonly #pace: Speed;
  readonly #faults: Faults;
  readonly #resourceFaults: Faults;
  readonly #retryAfter: string | number | undefined;
  /** Missing until it has begun. */
  #begin: { readonly at: number; readonly timestamp: number } | undefined;
  #timeline: Timeline;
  #position: Position = start;
  #readsArrived = 0;
  #resourceReadsArrived = 0;
  #readsShown = 0;

  /** @throws TypeError or RangeError that names the part of the plan that is wrong */
  constructor(projectName: string, operationId: string, plan: OperationPlan, pace: Speed) {
    const { timeline = usualTimeline, retryAfter, startsAtFirstPoll = false } = plan;
    const { faults = {}, resourceFaults = {} } = plan;
    checkTimeline("timeline", timeline);
    checkFaults("faults", faults);
    checkFaults("resourceFaults", resourceFaults);
    this.projectName = projectName;
    this.operationId = operationId;
    this.#timeline = timeline;
    this.#faults = faults;
    this.#resourceFaults = resourceFaults;
    this.#retryAfter = retryAfter;
    this.#pace = pace;
    if (!startsAtFirstPoll) this.#beginNow();
  }

  /** Leaves the timeline for this phase, which lasts for ever. */
  enter(phase: Phase): void {
    this.#timeline = [phase];
    this.#position = { phaseIndex: 0, enteredAt: this.#age() };
  }

  /** Numbers a read that has arrived, whatever it will be answered. */
  countPoll(): { readonly pollNumber: number; readonly fault: Fault | undefined } {
    if (this.#begin === undefined) this.#beginNow();
    this.#readsArrived++;
    return { pollNumber: this.#readsArrived, fault: this.#faults[this.#readsArrived] };
  }

  /** Numbers a read of the resource that has arrived, whatever it will be answered. */
  countResourceRequest(): Fault | undefined {
    this.#resourceReadsArrived++;
    return this.#resourceFaults[this.#resourceReadsArrived];
  }

  /** The status for a read, which counts as one that was shown it. */
  show(): StatusBody {
    const body = this.status();
    this.#readsShown++;
    this.#moveOn();
    return body;
  }

  /** The status that it had when it began. */
  firstStatus(): StatusBody {
    this.#moveOn();
    if (this.#position.phaseIndex === 0) return this.status();
    const [{ status, percentComplete } = this.#moveOn()] = this.#timeline;
    const percent = typeof percentComplete === "object" ? percentComplete.from : percentComplete;
    return { ...this.#named(status), percentComplete: percent };
  }

  /** The status now, without a trace. */
  status(): StatusBody {
    const { status, properties, result, error, ...phase } = this.#moveOn();
    return {
      ...this.#named(status),
      endTime: isTerminal(status) ? this.#enteredAtDate() : undefined,
      percentComplete: percentAt({ status, ...phase }, this.#position.enteredAt, this.#age()),
      properties,
      result,
      error,
    };
  }

  get state(): OperationState {
    return this.#moveOn().status;
  }

  /** The `Retry-After` header of an answer that shows this state. */
  retryAfterHeader(shown: OperationState): Record<string, string> {
    if (this.#retryAfter === undefined || isTerminal(shown)) return {};
    return { "retry-after": String(this.#retryAfter) };
  }

  #named(status: OperationState): StatusBody {
    return {
      id: statusId(this.projectName, this.operationId),
      name: this.operationId,
      status,
      startTime: this.#begin && bodyDate(this.#begin.timestamp),
    };
  }

  #beginNow(): void {
    const { clock } = this.#pace;
    this.#begin = { at: clock.now(), timestamp: clock.timestamp() };
  }

  #age(): Age {
    const { clock, speed } = this.#pace;
    const elapsedInMs = this.#begin === undefined ? 0 : (clock.now() - this.#begin.at) * speed;
    return { elapsedInMs, polls: this.#readsShown };
  }

  #enteredAtDate(): string | undefined {
    return (
      this.#begin && bodyDate(this.#begin.timestamp + this.#position.enteredAt.elapsedInMs / this.#pace.speed)
    );
  }

  #moveOn(): Phase {
    this.#position = positionAt(this.#timeline, this.#position, this.#age());
    const phase = this.#timeline[this.#position.phaseIndex];
    if (phase === undefined) throw new RangeError("timeline: expected a phase, got none");
    return phase;
  }
}
