import { InvalidArgumentError } from "commander";

const unitsInMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

const duration = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/**
 * Parses `90s`, `30m`, `1h30m` or a plain number of seconds into milliseconds.
 *
 * @throws InvalidArgumentError if it is no duration, or not above zero
 */
export function parseDuration(text: string): number {
  const durationInMs = inMs(text.trim().toLowerCase());
  if (durationInMs > 0 && Number.isFinite(durationInMs)) return durationInMs;
  throw new InvalidArgumentError("Expected a duration above zero, such as 90s, 30m, 1h30m or 90 (seconds).");
}

function inMs(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!duration.test(text)) return NaN;
  return Array.from(text.matchAll(part)).reduce(
    (sum, [, amount, unit = ""]) => sum + Number(amount) * (unitsInMs.get(unit) ?? NaN),
    0,
  );
}

/** Formats a duration so that {@link parseDuration} returns it again: `90s`, `30m`. */
export function durationText(durationInMs: number): string {
  const wholeUnits = Array.from(unitsInMs).filter(([, unitInMs]) => durationInMs % unitInMs === 0);
  const [unit, unitInMs] = wholeUnits.at(-1) ?? ["ms", 1];
  return `${durationInMs / unitInMs}${unit}`;
}

/** Formats a duration as `0:12`, `12:34` or `1:02:03`. */
export function clockText(durationInMs: number): string {
  const seconds = Math.max(0, Math.floor(durationInMs / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const tail = String(seconds % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Formats a remaining duration as `4 s`, rounded up. */
export function secondsText(durationInMs: number): string {
  return `${Math.ceil(Math.max(0, durationInMs) / 1000)} s`;
}
