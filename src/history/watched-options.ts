import { messageOf } from "../operation/errors.ts";
import type { StartOperationOptions } from "../azure/lro/start-operation.ts";
import { systemClock } from "../clock.ts";
import type { OperationStatus } from "../operation/status.ts";
import type { Progress } from "../state/progress.ts";
import { adaptive } from "../schedule/adaptive.ts";
import type { AdaptiveScheduleOptions } from "../schedule/adaptive.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { Stopwatch } from "./stopwatch.ts";

/** Tells operations apart that take differently long: `createDevBox/myPool`. A function finds it in the first status. */
export type OperationKind = string | ((operation: OperationStatus) => string);

/** Where a wait gets its past from, and hands its duration in. */
export interface Records {
  pastOf(kind: string): readonly number[];
  add(kind: string, durationInMs: number): void;
  warn(message: string): void;
}

/** The options of one wait, with the past of its kind, and with an eye on how long it takes. */
export function recordingOptions<P>(
  kind: OperationKind,
  options: StartOperationOptions<P>,
  records: Records,
): StartOperationOptions<P> {
  const stopwatch = new Stopwatch(options.clock ?? systemClock);
  const { kindOf, ...past } =
    typeof kind === "string" ? pastOf(kind, options, records) : pastOfKindFound(kind, options, records);
  const nameOf = orWarning(kindOf, records);
  return {
    ...options,
    ...past,
    onStarted(started) {
      stopwatch.start();
      return options.onStarted?.(started);
    },
    onProgress(progress) {
      const name = nameOf(progress);
      const duration = stopwatch.durationAfter(progress);
      if (name !== undefined && duration !== undefined) records.add(name, duration);
      return options.onProgress?.(progress);
    },
  };
}

/** The user's function may throw, for lack of a field that comes later: tried again, told of once. */
function orWarning(
  kindOf: (progress: Progress) => string,
  records: Records,
): (progress: Progress) => string | undefined {
  let hasWarned = false;
  return (progress) => {
    try {
      return kindOf(progress);
    } catch (error) {
      if (!hasWarned) records.warn(`The kind of an operation was not found: ${messageOf(error)}`);
      hasWarned = true;
      return undefined;
    }
  };
}

interface Past extends Pick<StartOperationOptions, "pastDurationsInMs" | "schedule"> {
  readonly kindOf: (progress: Progress) => string;
}

function pastOf(kind: string, { pastDurationsInMs = [] }: AdaptiveScheduleOptions, records: Records): Past {
  return { kindOf: () => kind, pastDurationsInMs: [...pastDurationsInMs, ...records.pastOf(kind)] };
}

/** Until the first answer names the kind, nothing is known of it. */
function pastOfKindFound(
  find: (operation: OperationStatus) => string,
  options: AdaptiveScheduleOptions & { readonly schedule?: Schedule },
  records: Records,
): Past {
  let kind: string | undefined;
  let known = options.schedule ?? adaptive(options);
  const schedule: Schedule = (history, random) => known(history, random);
  const kindOf = ({ operation }: Progress): string => {
    if (kind !== undefined) return kind;
    kind = find(operation);
    known = options.schedule ?? adaptive({ ...options, ...pastOf(kind, options, records) });
    return kind;
  };
  return { kindOf, schedule: Object.assign(schedule, { estimate: estimateOf(() => known) }) };
}

function estimateOf(known: () => Schedule): NonNullable<Schedule["estimate"]> {
  return (history) => known().estimate?.(history);
}
