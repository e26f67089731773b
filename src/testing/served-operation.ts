import { isTerminal } from "../index.ts";
import type { Clock, OperationState } from "../index.ts";
import { bodyDate } from "./styles/responses.ts";
import type { StatusBody } from "./styles/responses.ts";
import { checkFaults } from "./faults.ts";
import type { Fault, Faults } from "./faults.ts";
import { checkTimeline, percentAt, positionAt, startPosition, defaultTimeline } from "./timeline.ts";
import type { Age, Phase, Position, Timeline } from "./timeline.ts";

/** The life of an operation on the server, and its faults. */
export interface OperationPlan {
  /** The operation's phases. Default: NotStarted for 1 s, Running for 8 s, Succeeded. */
  readonly timeline?: Timeline;
  /**
   * The `Retry-After` header (seconds or a date) until the operation ends; `null` for none. Default: none, like the
   * recordings of DevCenter; 1 second in the styles `arm`, `resource` and `fabric`.
   */
  readonly retryAfter?: string | number | null;
  /** The faults of polls, by the number of the poll. Default: none. */
  readonly faults?: Faults;
  /** The faults of requests for the operation's resource, by their number. Default: none. */
  readonly resourceFaults?: Faults;
  /** Whether the timeline starts with the first poll. Default false: it starts at once. */
  readonly startsAtFirstPoll?: boolean;
}

/** The server's clock, and how fast timelines run by it. */
export interface ServerTime {
  readonly clock: Clock;
  /** Milliseconds of a timeline for each millisecond of the clock. */
  readonly speed: number;
}

/** An operation on the server. */
export class ServedOperation {
  /** The path of its status. */
  readonly id: string;
  readonly operationId: string;
  readonly #time: ServerTime;
  readonly #plan: OperationPlan;
  /** `undefined` until it starts. */
  #started: { readonly at: number; readonly timestamp: number } | undefined;
  #timeline: Timeline;
  #position: Position = startPosition;
  #pollCount = 0;
  #resourceRequestCount = 0;
  #shownPolls = 0;

  /** @throws TypeError or RangeError that names the invalid part of the plan */
  constructor(id: string, operationId: string, plan: OperationPlan, time: ServerTime) {
    const { timeline = defaultTimeline, faults = {}, resourceFaults = {} } = plan;
    checkTimeline("timeline", timeline);
    checkFaults("faults", faults);
    checkFaults("resourceFaults", resourceFaults);
    this.id = id;
    this.operationId = operationId;
    this.#timeline = timeline;
    this.#plan = { ...plan };
    this.#time = time;
    if (!plan.startsAtFirstPoll) this.#start();
  }

  /** Replaces the timeline by this phase, which does not end. */
  enter(phase: Phase): void {
    this.#timeline = [phase];
    this.#position = { phaseIndex: 0, enteredAt: this.#age() };
  }

  /** Counts a poll that has arrived, whatever its response will be. */
  countPoll(): { readonly pollNumber: number; readonly fault: Fault | undefined } {
    this.#start();
    this.#pollCount++;
    return { pollNumber: this.#pollCount, fault: this.#plan.faults?.[this.#pollCount] };
  }

  /** Counts a request for the resource that has arrived, whatever its response will be. */
  countResourceRequest(): Fault | undefined {
    this.#resourceRequestCount++;
    return this.#plan.resourceFaults?.[this.#resourceRequestCount];
  }

  /** Returns the status for a poll, and counts the poll as one that has shown it. */
  show(): StatusBody {
    const body = this.status();
    this.#shownPolls++;
    this.#advance();
    return body;
  }

  /** Returns the operation's first status. */
  firstStatus(): StatusBody {
    const phase = this.#advance();
    if (this.#position.phaseIndex === 0) return this.status();
    const [{ status, percentComplete } = phase] = this.#timeline;
    const percent = typeof percentComplete === "object" ? percentComplete.from : percentComplete;
    return { ...this.#named(status), percentComplete: percent };
  }

  /** Returns the current status. Counts no poll. */
  status(): StatusBody {
    const phase = this.#advance();
    const { status, properties, result, error } = phase;
    const { enteredAt } = this.#position;
    return {
      ...this.#named(status),
      endTime: isTerminal(status) ? this.#dateAt(enteredAt.elapsedInMs) : undefined,
      percentComplete: percentAt(phase, enteredAt, this.#age()),
      properties,
      result,
      error,
    };
  }

  get state(): OperationState {
    return this.#advance().status;
  }

  /** Returns the `Retry-After` header of a response that shows this state. */
  retryAfterHeader(shown: OperationState): Record<string, string> {
    const { retryAfter } = this.#plan;
    return (retryAfter ?? null) === null || isTerminal(shown) ? {} : { "retry-after": String(retryAfter) };
  }

  #named(status: OperationState): StatusBody {
    return {
      id: this.id,
      name: this.operationId,
      status,
      startTime: this.#dateAt(0),
    };
  }

  #start(): void {
    const { clock } = this.#time;
    this.#started ??= { at: clock.now(), timestamp: clock.timestamp() };
  }

  #age(): Age {
    const { clock, speed } = this.#time;
    const elapsedInMs = this.#started === undefined ? 0 : (clock.now() - this.#started.at) * speed;
    return { elapsedInMs, polls: this.#shownPolls };
  }

  #dateAt(elapsedInMs: number): string | undefined {
    return this.#started && bodyDate(this.#started.timestamp + elapsedInMs / this.#time.speed);
  }

  /** Moves to the phase of the operation's current age, and returns it. */
  #advance(): Phase {
    this.#position = positionAt(this.#timeline, this.#position, this.#age());
    const phase = this.#timeline[this.#position.phaseIndex];
    if (phase === undefined) throw new RangeError("timeline: expected a phase, got none");
    return phase;
  }
}
