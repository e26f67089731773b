import type { Style } from "./terminal.ts";

/** A piece of a line in one style. */
export interface Span {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** What a bar shows. */
export interface Bar {
  readonly width: number;
  /** 0 to 100; `undefined` where nobody knows. */
  readonly percent: number | undefined;
  /** What moves a bar without a percentage; `undefined`: it is over, and there is no bar. */
  readonly elapsedInMs: number | undefined;
  readonly style: Style;
}

const stepInMs = 100;

/** A filled bar, or a block that runs to and fro where there is nothing to measure. */
export function barSpans({ width, percent, elapsedInMs, style }: Bar): Span[] {
  if (percent !== undefined) {
    const filled = Math.floor((width * percent) / 100);
    return [full(filled, style), empty(width - filled)];
  }
  // An empty bar would say 0 %.
  if (elapsedInMs === undefined) return [{ text: " ".repeat(width) }];
  const block = Math.min(width, Math.max(2, Math.round(width / 5)));
  const before = toAndFro(Math.floor(elapsedInMs / stepInMs), width - block);
  return [empty(before), full(block, style), empty(width - block - before)];
}

/** 0, 1, 2, … most, …, 2, 1, 0, 1, … */
function toAndFro(step: number, most: number): number {
  const place = most === 0 ? 0 : step % (2 * most);
  return place <= most ? place : 2 * most - place;
}

function full(length: number, style: Style): Span {
  return { text: "█".repeat(length), style };
}

function empty(length: number): Span {
  return { text: "░".repeat(length), style: "dim" };
}
