import type { Style } from "./terminal.ts";

/** A piece of a line, in one style. */
export interface Span {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** A bar to draw. */
interface Bar {
  readonly width: number;
  /** 0 to 100; `undefined` if it is unknown. */
  readonly percent: number | undefined;
  /** Moves a bar without a percentage; `undefined` after the end of the wait, when no such bar is drawn. */
  readonly elapsedInMs: number | undefined;
  readonly style: Style;
}

const stepInMs = 100;

/** Draws a filled bar, or a block that moves to and fro if the percentage is unknown. */
export function barSpans({ width, percent, elapsedInMs, style }: Bar): Span[] {
  if (percent !== undefined) {
    const filled = Math.floor((width * percent) / 100);
    return [full(filled, style), empty(width - filled)];
  }
  // An empty bar would look like 0 %.
  if (elapsedInMs === undefined) return [{ text: " ".repeat(width) }];
  const block = Math.min(width, Math.max(2, Math.round(width / 5)));
  const before = toAndFro(Math.floor(elapsedInMs / stepInMs), width - block);
  return [empty(before), full(block, style), empty(width - block - before)];
}

/** 0, 1, 2, …, max, …, 2, 1, 0, 1, … */
function toAndFro(step: number, max: number): number {
  const position = max === 0 ? 0 : step % (2 * max);
  return position <= max ? position : 2 * max - position;
}

function full(length: number, style: Style): Span {
  return { text: "█".repeat(length), style };
}

function empty(length: number): Span {
  return { text: "░".repeat(length), style: "dim" };
}
