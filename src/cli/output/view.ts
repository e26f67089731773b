import stringWidth from "string-width";
import { barSpans } from "./bar.ts";
import type { Span } from "./bar.ts";
import { clockText, secondsText } from "../input/duration.ts";
import type { Paint, Style } from "./terminal.ts";
import { cut, padTo, truncate } from "./layout.ts";
import { percentWords } from "./text.ts";
import { elapsedOf, percentOf, remainingOf } from "./wait-view.ts";
import type { WaitView } from "./wait-view.ts";

/** The space for a view, and how to draw it. */
export interface ViewOptions {
  readonly columns: number;
  readonly now: number;
  readonly paint: Paint;
}

/** Draws a line for each wait, none wider than the terminal. */
export function renderWaits(waits: readonly WaitView[], options: ViewOptions): string[] {
  if (waits.length === 0) return [];
  const layout = layoutOf(waits, options);
  return waits.map((wait) => renderWait(wait, layout));
}

interface Layout extends ViewOptions {
  readonly gap: number;
  readonly labelWidth: number;
  readonly stateWidth: number;
  readonly barWidth: number;
  readonly elapsedWidth: number;
  /** The space that is left for estimates and notes. */
  readonly tailWidth: number;
}

const percentWidth = "100 %".length;
const maxStateWidth = 14;
const minBarWidth = 8;
const maxBarWidth = 40;
const minLabelWidth = 8;
/** `retrying in 4 s: ECONNREFUSED` and the like. */
const preferredTailWidth = 29;
const minTailWidth = "retrying in 4 s: HTTP 503".length;
/** The least width that has room for figures beside a note. */
const roomyColumns = 60;

function layoutOf(waits: readonly WaitView[], options: ViewOptions): Layout {
  const { columns, now } = options;
  const gap = columns < roomyColumns ? 1 : 2;
  const stateWidth = Math.min(maxStateWidth, widest(["NotStarted", ...waits.map(stateOf)]));
  const elapsedWidth = widest(["00:00", ...waits.map((wait) => clockText(elapsedOf(wait, now)))]);
  const roomWithLabels = columns - stateWidth - percentWidth - elapsedWidth - 4 * gap;
  const labelWidth = labelWidthOf(waits, roomWithLabels - minBarWidth - gap - minTailWidth);
  const room = roomWithLabels - labelWidth;
  const preferredBarWidth = Math.min(maxBarWidth, Math.max(minBarWidth, room - gap - preferredTailWidth));
  const barWidth = Math.max(1, Math.min(preferredBarWidth, room));
  const tailWidth = room - barWidth - gap;
  return { ...options, gap, labelWidth, stateWidth, barWidth, elapsedWidth, tailWidth };
}

/** Returns the width of the labels: as much as fits, but at least what tells them apart. */
function labelWidthOf(waits: readonly WaitView[], room: number): number {
  const longest = widest(waits.map(({ label }) => label));
  if (longest <= room) return longest;
  let width = minLabelWidth;
  while (width < longest && new Set(waits.map((wait) => labelWithin(wait, width))).size < waits.length)
    width++;
  return Math.min(width, longest);
}

function labelWithin({ label, isNamed = false }: WaitView, width: number): string {
  return (isNamed ? truncate : cut)(label, width);
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => stringWidth(text)));
}

function renderWait(wait: WaitView, layout: Layout): string {
  const { labelWidth, stateWidth, tailWidth, now } = layout;
  const state = truncate(stateOf(wait), stateWidth);
  const head: Span[][] = [
    [{ text: padTo(labelWithin(wait, labelWidth), labelWidth) }],
    [{ text: padTo(state, stateWidth), style: colourOf(wait) }],
  ];
  const note = noteOf(wait, now);
  if (note === undefined) {
    return paintWithin([...head, ...gauges(wait, layout), [estimates(wait, layout)]], layout);
  }
  const isCramped = tailWidth < Math.min(preferredTailWidth, stringWidth(note));
  const middle = isCramped ? figures(wait, layout) : gauges(wait, layout);
  return paintWithin([...head, ...middle, [{ text: note, style: colourOfNote(wait) }]], layout);
}

function gauges(wait: WaitView, { barWidth, elapsedWidth, now }: Layout): Span[][] {
  const elapsedInMs = elapsedOf(wait, now);
  const bar = barSpans({
    width: barWidth,
    percent: percentOf(wait),
    elapsedInMs: wait.end ? undefined : elapsedInMs,
    style: colourOf(wait) ?? (wait.isOverdue ? "orange" : "cyan"),
  });
  return [
    bar,
    [{ text: percentText(wait).padStart(percentWidth) }],
    [{ text: clockText(elapsedInMs).padStart(elapsedWidth) }],
  ];
}

/** The gauges without the bar, whose space a note takes. */
function figures(wait: WaitView, { columns, now }: Layout): Span[][] {
  if (columns < roomyColumns) return [];
  const texts = [percentText(wait), clockText(elapsedOf(wait, now))];
  return texts.filter((text) => text !== "").map((text) => [{ text }]);
}

function percentText(wait: WaitView): string {
  if (wait.percentComplete === undefined) return "";
  return percentWords(percentOf(wait) ?? 0, wait.isEstimate === true && wait.status !== "Succeeded");
}

/** Returns the remaining time and the time to the next poll, as far as there is room. */
function estimates(wait: WaitView, { now, tailWidth }: Layout): Span {
  if (wait.end) return { text: "" };
  const { updatedAt, nextPollInMs = 0 } = wait;
  const passed = now - updatedAt;
  const isPolling = nextPollInMs <= passed;
  const countdown = secondsText(nextPollInMs - passed);
  const next = isPolling ? "polling" : `next ${countdown}`;
  const remainingInMs = remainingOf(wait, now);
  const left = remainingInMs === undefined ? undefined : `~${clockText(remainingInMs)}`;
  const both =
    left === undefined ? [] : [`${left} left, ${next}`, `${left}, ${isPolling ? next : `in ${countdown}`}`];
  if (wait.isOverdue) both.unshift(`overdue, ${next}`);
  return { text: [...both, next].find((text) => text.length <= tailWidth) ?? "", style: "dim" };
}

function noteOf(
  { end, status, failure, nextPollInMs, updatedAt }: WaitView,
  now: number,
): string | undefined {
  if (end) return end.note === status ? undefined : end.note;
  if (failure === undefined) return undefined;
  const restInMs = (nextPollInMs ?? 0) - (now - updatedAt);
  return restInMs > 0 ? `retrying in ${secondsText(restInMs)}: ${failure}` : `retrying: ${failure}`;
}

function stateOf({ status }: WaitView): string {
  return status ?? "…";
}

const colours: ReadonlyMap<string, Style> = new Map([
  ["Succeeded", "green"],
  ["Failed", "red"],
  ["Canceled", "yellow"],
]);

function colourOf({ status = "", end }: WaitView): Style | undefined {
  return colours.get(status) ?? (end ? "yellow" : undefined);
}

function colourOfNote({ end, status }: WaitView): Style {
  return end && status === "Failed" ? "red" : "yellow";
}

/** Joins the cells into a line, cut to the terminal's width. */
export function paintWithin(
  cells: readonly (readonly Span[])[],
  { columns, gap, paint }: Pick<Layout, "columns" | "gap" | "paint">,
): string {
  let room = columns;
  let line = "";
  for (const [index, cell] of cells.entries()) {
    for (const { text, style } of index === 0 ? cell : [{ text: " ".repeat(gap) } satisfies Span, ...cell]) {
      const shown = truncate(text, room);
      room -= stringWidth(shown);
      line += style === undefined || shown === "" ? shown : paint(style, shown);
    }
  }
  return line.trimEnd();
}
