import stringWidth from "string-width";
import { barSpans } from "./bar.ts";
import type { Span } from "./bar.ts";
import { clockText, secondsText } from "./duration.ts";
import { padTo, truncate } from "./text.ts";
import type { Paint, Style } from "./text.ts";

/** A wait as the view sees it. Its texts hold no control characters. */
export interface WaitView {
  readonly id: string;
  readonly status?: string | undefined;
  readonly percentComplete?: number | undefined;
  /** When the rest was true, by the clock of `now`. */
  readonly heardAt: number;
  readonly elapsedInMs: number;
  readonly estimatedRemainingInMs?: number | undefined;
  readonly nextPollInMs?: number | undefined;
  /** Why the last read failed. */
  readonly failure?: string | undefined;
  /** That the wait is over, and why where the state does not say it. */
  readonly end?: { readonly note?: string | undefined } | undefined;
}

/** What to fit the view into. */
export interface ViewOptions {
  readonly columns: number;
  /** How many lines there may be. Default: as many as waits. */
  readonly rows?: number;
  readonly now: number;
  readonly paint: Paint;
}

/** A line for each wait, none wider than the terminal; where rows are short, those under way first. */
export function renderWaits(waits: readonly WaitView[], options: ViewOptions): string[] {
  const { rows = Infinity } = options;
  const layout = layoutOf(waits, options);
  if (waits.length <= rows) return waits.map((wait) => renderWait(wait, layout));
  const ordered = [...waits.filter(({ end }) => !end), ...waits.filter(({ end }) => end)];
  const shown = ordered.slice(0, Math.max(0, rows - 1));
  const hidden = ordered.slice(shown.length);
  return [...shown.map((wait) => renderWait(wait, layout)), truncate(summaryOf(hidden), options.columns)];
}

/** `… 12 more: 9 Running, 3 Succeeded` */
function summaryOf(waits: readonly WaitView[]): string {
  const counts = new Map<string, number>();
  for (const wait of waits) counts.set(stateOf(wait), (counts.get(stateOf(wait)) ?? 0) + 1);
  const states = Array.from(counts, ([state, count]) => `${count} ${state}`).join(", ");
  return `… ${waits.length} more: ${states}`;
}

interface Layout extends ViewOptions {
  readonly gap: number;
  readonly idWidth: number;
  readonly stateWidth: number;
  readonly barWidth: number;
  readonly elapsedWidth: number;
  /** What is left for estimates and notes. */
  readonly tailWidth: number;
}

const percentWidth = "100 %".length;
const longestState = 14;
const shortestBar = 8;
const longestBar = 40;
/** `retrying in 4 s: ECONNREFUSED` and the like. */
const wantedTail = 29;

function layoutOf(waits: readonly WaitView[], options: ViewOptions): Layout {
  const { columns } = options;
  const gap = columns < 60 ? 1 : 2;
  const idWidth = columns < 120 ? shortIdWidth(waits) : widest(waits.map(({ id }) => id));
  const stateWidth = Math.min(longestState, widest(["NotStarted", ...waits.map(stateOf)]));
  const elapsedWidth = widest(["00:00", ...waits.map((wait) => clockText(elapsedOf(wait, options.now)))]);
  const room = columns - idWidth - stateWidth - percentWidth - elapsedWidth - 4 * gap;
  const wantedBar = Math.min(longestBar, Math.max(shortestBar, room - gap - wantedTail));
  const barWidth = Math.max(1, Math.min(wantedBar, room));
  const tailWidth = room - barWidth - gap;
  return { ...options, gap, idWidth, stateWidth, barWidth, elapsedWidth, tailWidth };
}

const shortestId = 8;

/** As much of the ids as tells them apart. */
function shortIdWidth(waits: readonly WaitView[]): number {
  const longest = widest(waits.map(({ id }) => id));
  let width = shortestId;
  while (width < longest && new Set(waits.map(({ id }) => id.slice(0, width))).size < waits.length) width++;
  return Math.min(width, longest);
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => stringWidth(text)));
}

function renderWait(wait: WaitView, layout: Layout): string {
  const state = truncate(stateOf(wait), layout.stateWidth);
  const head: Span[][] = [
    [{ text: padTo(wait.id.slice(0, layout.idWidth), layout.idWidth) }],
    [{ text: padTo(state, layout.stateWidth), style: colourOf(wait) }],
  ];
  const note = noteOf(wait, layout.now);
  const isCramped = note !== undefined && layout.tailWidth < wantedTail;
  const tail: Span = note === undefined ? estimates(wait, layout) : { text: note, style: colourOfNote(wait) };
  const cells = isCramped ? [...head, [tail]] : [...head, ...gauges(wait, layout), [tail]];
  return paintWithin(cells, layout);
}

function gauges(wait: WaitView, { barWidth, elapsedWidth, now }: Layout): Span[][] {
  // A service that reports percentages may leave out the last one.
  const percent = wait.status === "Succeeded" ? 100 : wait.percentComplete;
  const percentText = wait.percentComplete === undefined ? "" : `${Math.floor(percent ?? 0)} %`;
  const elapsedInMs = elapsedOf(wait, now);
  const bar = barSpans({
    width: barWidth,
    percent,
    elapsedInMs: wait.end ? undefined : elapsedInMs,
    style: colourOf(wait) ?? "cyan",
  });
  return [
    bar,
    [{ text: percentText.padStart(percentWidth) }],
    [{ text: clockText(elapsedInMs).padStart(elapsedWidth) }],
  ];
}

/** How long it will take and when the next read is, as far as there is room. */
function estimates(wait: WaitView, { now, tailWidth }: Layout): Span {
  const { estimatedRemainingInMs, nextPollInMs, heardAt, end } = wait;
  if (end) return { text: "" };
  const passed = now - heardAt;
  const left =
    estimatedRemainingInMs === undefined ? [] : [`~${clockText(estimatedRemainingInMs - passed)} left`];
  const next =
    nextPollInMs === undefined || nextPollInMs <= passed
      ? "reading"
      : `next ${secondsText(nextPollInMs - passed)}`;
  const both = [...left, next].join(", ");
  return { text: both.length <= tailWidth ? both : (left[0] ?? next), style: "dim" };
}

function noteOf({ end, status, failure, nextPollInMs, heardAt }: WaitView, now: number): string | undefined {
  if (end) return end.note === status ? undefined : end.note;
  if (failure === undefined) return undefined;
  const restInMs = (nextPollInMs ?? 0) - (now - heardAt);
  return restInMs > 0 ? `retrying in ${secondsText(restInMs)}: ${failure}` : `retrying: ${failure}`;
}

function elapsedOf({ elapsedInMs, heardAt, end }: WaitView, now: number): number {
  return end ? elapsedInMs : elapsedInMs + Math.max(0, now - heardAt);
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

/** Joins the cells into a line that ends where the terminal does. */
function paintWithin(cells: readonly (readonly Span[])[], { columns, gap, paint }: Layout): string {
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
