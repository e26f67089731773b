import { messageOf } from "../operation/errors.ts";
import type { StartOperationOptions } from "../azure/lro/start-operation.ts";
import { systemClock } from "../clock.ts";
import type { OperationStatus } from "../operation/status.ts";
import type { Progress } from "../state/progress.ts";
import { adaptive } from "../schedule/adaptive.ts";
import type { AdaptiveScheduleOptions } from "../schedule/adaptive.ts";
import type { PastDuration } from "../schedule/past-durations.ts";
import type { PollHistory, Schedule } from "../schedule/schedule.ts";
import { Stopwatch } from "./stopwatch.ts";

/**
 * A name for operations that take equally long, such as `createDevBox/myPool`. A function determines it from the first
 * status.
 */
export type OperationKind = string | ((operation: OperationStatus) => string);

/** The access of one wait to the duration history. */
interface Records {
  pastDurationsOf(kind: string): readonly PastDuration[];
  add(kind: string, duration: PastDuration): void;
  warn(message: string): void;
}

/** Returns the options of one wait, with the past durations of its kind, and with callbacks that record its duration. */
export function recordingOptions<P>(
  kind: OperationKind,
  options: StartOperationOptions<P>,
  records: Records,
): StartOperationOptions<P> {
  const stopwatch = new Stopwatch(options.clock ?? systemClock);
  const { kindOf, ...past } =
    typeof kind === "string" ? pastOf(kind, options, records) : pastOfKindFound(kind, options, records);
  const kindOrWarning = orWarning(kindOf, records);
  let name: string | undefined;
  const add = (duration: PastDuration | undefined): void => {
    if (name !== undefined && duration !== undefined) records.add(name, duration);
  };
  return {
    ...options,
    ...past,
    onStarted(started) {
      stopwatch.start();
      return options.onStarted?.(started);
    },
    onProgress(progress) {
      name = kindOrWarning(progress);
      add(stopwatch.durationAfter(progress));
      return options.onProgress?.(progress);
    },
    onEnd(end) {
      if (end.type === "pollingFailed" || end.type === "abandoned") add(stopwatch.durationAfterEarlyEnd());
      return options.onEnd?.(end);
    },
  };
}

/** The user's function may throw, for lack of a field that comes later: it is called again, and the warning comes once. */
function orWarning(
  kindOf: (progress: Progress) => string,
  records: Records,
): (progress: Progress) => string | undefined {
  let hasWarned = false;
  return (progress) => {
    try {
      return kindOf(progress);
    } catch (error) {
      const name = JSON.stringify(progress.operation.name);
      if (!hasWarned) records.warn(`Operation ${name} has no kind: ${messageOf(error)}`);
      hasWarned = true;
      return undefined;
    }
  };
}

interface Past extends Pick<StartOperationOptions, "pastDurationsInMs" | "schedule"> {
  readonly kindOf: (progress: Progress) => string;
}

function pastOf(kind: string, { pastDurationsInMs = [] }: AdaptiveScheduleOptions, records: Records): Past {
  return { kindOf: () => kind, pastDurationsInMs: [...pastDurationsInMs, ...records.pastDurationsOf(kind)] };
}

/** Until the first response names the kind, the schedule has no past durations. */
function pastOfKindFound(
  find: (operation: OperationStatus) => string,
  options: AdaptiveScheduleOptions & { readonly schedule?: Schedule },
  records: Records,
): Past {
  let kind: string | undefined;
  let current = options.schedule ?? adaptive(options);
  const kindOf = ({ operation }: Progress): string => {
    if (kind !== undefined) return kind;
    kind = find(operation);
    current = options.schedule ?? adaptive({ ...options, ...pastOf(kind, options, records) });
    return kind;
  };
  const schedule: Schedule = Object.assign(
    (history: PollHistory, random: () => number) => current(history, random),
    { estimate: (history: PollHistory) => current.estimate?.(history) },
  );
  return { kindOf, schedule };
}
