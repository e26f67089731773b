import stringWidth from "string-width";
import { clockText } from "../input/duration.ts";
import { truncate } from "./layout.ts";
import { renderWaits } from "./view.ts";
import type { ViewOptions } from "./view.ts";
import { elapsedOf, percentOf, remainingOf, statesText } from "./wait-view.ts";
import type { WaitView } from "./wait-view.ts";

/** The space for an overview, and how to draw it. */
interface OverviewOptions extends ViewOptions {
  /** The maximum number of lines, the summary's included. */
  readonly rows: number;
}

/** Draws many waits in a few lines: a summary, and the bars of the most urgent. */
export function renderOverview(waits: readonly WaitView[], options: OverviewOptions): string[] {
  const shown = mostUrgent(waits, options.now, Math.max(0, options.rows - 1));
  return [summaryOf(waits, options), ...renderWaits(shown, options)];
}

/** `312 operations: 40 NotStarted, 200 Running, 70 Succeeded, 2 Failed · 61 % · ~12:30 left` */
function summaryOf(waits: readonly WaitView[], { columns, now }: ViewOptions): string {
  const tail = ` · ${Math.floor(meanPercentOf(waits))} %${leftText(waits, now)}`;
  const room = columns - stringWidth(tail);
  const states = statesText(waits);
  const short = `${waits.length}: ${states}`;
  const head = [`${waits.length} operations: ${states}`, short].find((text) => stringWidth(text) <= room);
  return truncate((head ?? truncate(short, room)) + tail, columns);
}

function meanPercentOf(waits: readonly WaitView[]): number {
  const percents = waits.map((wait) => (wait.end ? 100 : (percentOf(wait) ?? 0)));
  return percents.reduce((sum, percent) => sum + percent, 0) / waits.length;
}

/** Returns an empty text if one of the waits has no estimate. */
function leftText(waits: readonly WaitView[], now: number): string {
  const remaining = waits.filter(({ end }) => !end).map((wait) => remainingOf(wait, now) ?? Infinity);
  const longest = remaining.reduce((one, other) => Math.max(one, other), 0);
  return longest === 0 || longest === Infinity ? "" : ` · ~${clockText(longest)} left`;
}

/** Troubled waits first, but at most half of the rows while others run; then by estimated end; ended waits last. */
function mostUrgent(waits: readonly WaitView[], now: number, rows: number): WaitView[] {
  const trouble = waits.filter(isTrouble).toSorted(byTrouble(now));
  const underWay = waits.filter((wait) => !wait.end && !isTrouble(wait)).toSorted(byEnd(now));
  const over = waits.filter((wait) => wait.end && !isTrouble(wait)).toSorted(byLatest);
  const roomForTrouble = Math.max(Math.ceil(rows / 2), rows - underWay.length);
  const first = [...trouble.slice(0, roomForTrouble), ...underWay];
  return [...first, ...over].slice(0, rows);
}

function isTrouble({ status, end, failure }: WaitView): boolean {
  return end ? status !== "Succeeded" : failure !== undefined;
}

type Order = (one: WaitView, other: WaitView) => number;

/** Ended waits, the latest first, then those that are retrying. */
function byTrouble(now: number): Order {
  return (one, other) => {
    if (one.end && other.end) return byLatest(one, other);
    return Number(!one.end) - Number(!other.end) || elapsedOf(other, now) - elapsedOf(one, now);
  };
}

function byEnd(now: number): Order {
  return (one, other) => {
    const [left = Infinity, otherLeft = Infinity] = [remainingOf(one, now), remainingOf(other, now)];
    return left === otherLeft ? elapsedOf(other, now) - elapsedOf(one, now) : left - otherLeft;
  };
}

function byLatest(one: WaitView, other: WaitView): number {
  return other.updatedAt - one.updatedAt;
}
