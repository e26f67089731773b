import stringWidth from "string-width";
import { clockText } from "../input/duration.ts";
import type { Span } from "./bar.ts";
import { ageText, partCountText, partStatesText, shortTypeOf, timeOf } from "./parts.ts";
import type { PartLook, PartNode, PartView, PartsView } from "./parts.ts";
import type { Style } from "./terminal.ts";
import { padTo, truncate } from "./layout.ts";
import { paintWithin, renderWaits } from "./view.ts";
import type { ViewOptions } from "./view.ts";
import type { WaitView } from "./wait-view.ts";

/** The space for parts, and how to draw them. */
interface PartsOptions extends ViewOptions {
  /** The maximum number of lines, those of the waits included. */
  readonly rows: number;
}

/** Draws a line for each wait, and below it the tree of its parts, as far as there are rows. */
export function renderWithParts(waits: readonly WaitView[], options: PartsOptions): string[] {
  const lines = renderWaits(waits, options);
  const rowsOf = shared(waits.map(rowsWanted), options.rows - waits.length);
  return waits.flatMap((wait, index) => [
    ...lines.slice(index, index + 1),
    ...(wait.parts ? renderParts(wait.parts, partsOptions(wait, rowsOf[index] ?? 0, options)) : []),
  ]);
}

/** After the end, the parts that did not succeed are worth a row; of a wait that succeeded, only the summary. */
function rowsWanted({ parts, status, end }: WaitView): number {
  if (parts === undefined) return 0;
  if (end && status === "Succeeded") return 1;
  const all = 1 + parts.byUrgency.length;
  const others = parts.byUrgency.filter(({ part }) => part.look !== "succeeded").length;
  // The last row counts those that succeeded.
  return end ? Math.min(all, others + 2) : all;
}

function partsOptions({ end, updatedAt }: WaitView, rows: number, options: PartsOptions): PartsOptions {
  return { ...options, rows, now: end ? updatedAt : options.now };
}

/** Divides rows evenly; those that one does not want go to the others. */
function shared(wanted: readonly number[], rows: number): number[] {
  const given = wanted.map(() => 0);
  let left = Math.max(0, rows);
  const order = Array.from(wanted.keys()).toSorted((one, other) => (wanted[one] ?? 0) - (wanted[other] ?? 0));
  for (const [position, index] of order.entries()) {
    const share = Math.min(wanted[index] ?? 0, Math.floor(left / (order.length - position)));
    given[index] = share;
    left -= share;
  }
  return given;
}

/** Draws a summary of the parts and their tree: the most urgent ones, if there are more than rows. */
export function renderParts(view: PartsView, options: PartsOptions): string[] {
  const { rows } = options;
  if (rows < 1) return [];
  const summary = paintWithin([[{ text: summaryOf(view, options), style: "dim" }]], { ...options, gap: 2 });
  const shown = mostUrgent(view.byUrgency, rows - 1);
  return [summary, ...renderNodes(shown, options), ...restOf(view.byUrgency, shown, options)].slice(0, rows);
}

const indent = "  ";

/** `12 of at least 20 parts · 1 failed · 3 running · oldest: vpn-gateway 12:04`, as far as there is room. */
function summaryOf(view: PartsView, { columns, now }: PartsOptions): string {
  const { oldest, longest, counts } = view;
  const count = `${indent}${partCountText(view)}`;
  const states = partStatesText(view);
  const isOver = !counts.has("running") && !counts.has("waiting");
  const [word, slowest] = oldest ? ["oldest", oldest] : ["longest", isOver ? longest : undefined];
  const slowestTexts = [false, true].map((isShort) =>
    slowest === undefined ? undefined : `${word}: ${ageText(slowest, now, isShort)}`,
  );
  const failed = counts.has("failed") ? states.slice(0, 1) : [];
  const texts = [states, failed]
    .flatMap((some) => slowestTexts.map((tail) => [count, ...some, tail]))
    .concat([
      [count, ...states],
      [count, ...failed],
    ])
    .map((clauses) => clauses.filter((clause) => clause !== undefined).join(" · "));
  return texts.find((text) => stringWidth(text) <= columns) ?? truncate(count, columns);
}

/**
 * Returns the nodes that get a row, from the top down: each with the deployments that it is in. One row is left for what
 * has none. Failed parts take at most half of the rows while others are not over.
 */
function mostUrgent(byUrgency: readonly PartNode[], rows: number): PartNode[] {
  if (byUrgency.length <= rows) return byUrgency.toSorted(byOrder);
  const limit = rows - 1;
  const open = byUrgency.filter(({ part }) => part.look === "running" || part.look === "waiting").length;
  const leastOfFailed = 1 + (byUrgency[0]?.depth ?? 0);
  const limitOfFailed = Math.min(limit, Math.max(Math.ceil(limit / 2), limit - open, leastOfFailed));
  const shown = new Set<PartNode>();
  for (const node of byUrgency) {
    const missing = lineageOf(node).filter((one) => !shown.has(one));
    const room = (node.part.look === "failed" ? limitOfFailed : limit) - shown.size;
    if (missing.length <= room) for (const one of missing) shown.add(one);
    if (shown.size >= limit) break;
  }
  return Array.from(shown).toSorted(byOrder);
}

function lineageOf(node: PartNode): PartNode[] {
  return node.parent === undefined ? [node] : [...lineageOf(node.parent), node];
}

function byOrder(one: PartNode, other: PartNode): number {
  return one.order - other.order;
}

/** `… and 214 more: 14 running, 200 succeeded`, of the resources only. */
function restOf(all: readonly PartNode[], shown: readonly PartNode[], options: PartsOptions): string[] {
  if (shown.length === all.length) return [];
  const isShown = new Set(shown);
  const counts = new Map<PartLook, number>();
  let hidden = 0;
  for (const node of all) {
    if (isShown.has(node) || node.part.isGroup) continue;
    hidden++;
    counts.set(node.part.look, (counts.get(node.part.look) ?? 0) + 1);
  }
  if (hidden === 0) return [];
  const succeeded = counts.get("succeeded");
  const states = [
    ...partStatesText({ counts }),
    ...(succeeded === undefined ? [] : [`${succeeded} succeeded`]),
  ];
  const text = `${indent}… and ${hidden} more: ${states.join(", ")}`;
  return [paintWithin([[{ text, style: "dim" }]], { ...options, gap: 2 })];
}

const maxStateWidth = 14;
const minTailWidth = 12;

function renderNodes(nodes: readonly PartNode[], options: PartsOptions): string[] {
  if (nodes.length === 0) return [];
  const { columns, now } = options;
  const gap = columns < 60 ? 1 : 2;
  const labels = nodes.map(labelOf);
  const times = nodes.map(({ part }) => timeText(part, now));
  const stateWidth = Math.min(maxStateWidth, widest(nodes.map(({ part }) => part.state)));
  const timeWidth = widest(times);
  const room = columns - stateWidth - timeWidth - 3 * gap - minTailWidth;
  const labelWidth = Math.max(8, Math.min(widest(labels), room));
  return nodes.map(({ part }, index) => {
    const style = styles.get(part.look);
    const cells: Span[][] = [
      [{ text: padTo(truncate(labels[index] ?? "", labelWidth), labelWidth) }],
      [{ text: padTo(truncate(part.state, stateWidth), stateWidth), style }],
      [{ text: (times[index] ?? "").padStart(timeWidth) }],
      [tailOf(part, columns - labelWidth - stateWidth - timeWidth - 3 * gap)],
    ];
    return paintWithin(cells, { ...options, gap });
  });
}

function labelOf({ part, depth }: PartNode): string {
  return indent.repeat(depth + 1) + part.name;
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, stringWidth(text)), 0);
}

function timeText(part: PartView, now: number): string {
  const timeInMs = timeOf(part, now);
  return timeInMs === undefined ? "" : clockText(timeInMs);
}

/** The reason of a failure, the count of a nested deployment, or the type as far as there is room for it. */
function tailOf(part: PartView, room: number): Span {
  const { note, type, isGroup, done, seen } = part;
  if (note !== undefined) return { text: note, style: "red" };
  if (isGroup) return { text: seen === 0 ? "" : `${done} of ${seen} parts`, style: "dim" };
  return { text: stringWidth(type) <= room ? type : shortTypeOf(type), style: "dim" };
}

const styles: ReadonlyMap<PartLook, Style> = new Map([
  ["failed", "red"],
  ["running", "cyan"],
  ["stopped", "yellow"],
  ["skipped", "dim"],
  ["succeeded", "green"],
]);
