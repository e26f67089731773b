import type { OperationPart, OperationStatus } from "../../index.ts";
import { clockText } from "../input/duration.ts";
import { PartChanges, failedPartsIn } from "./part-changes.ts";
import type { LocatedPart } from "./part-changes.ts";
import { codeOfPart, isGroup, lookOfPart } from "./parts.ts";
import { singleLine } from "./text.ts";

const burst = 10;
const refillInMs = 6000;

/**
 * Makes the lines for the parts of one operation whose state has changed. Each failed part has its line at once. Of the
 * others, ten have a line, and ten a minute after these; one line counts the rest.
 */
export class PartLines {
  readonly #changes = new PartChanges();
  #room = burst;
  #refilledAtInMs = 0;

  /** Returns the lines for the news in a status, without the time and the name of the operation. */
  linesFor(operation: OperationStatus, elapsedInMs: number): string[] {
    this.#room = Math.min(burst, this.#room + (elapsedInMs - this.#refilledAtInMs) / refillInMs);
    this.#refilledAtInMs = elapsedInMs;
    const changed = this.#changes.since(operation).filter(({ part }) => hasLine(part));
    const failed = changed.filter(({ part }) => lookOfPart(part) === "failed");
    // A state that is over tells more than one that has begun.
    const others = [
      ...changed.filter(({ part }) => isOver(lookOfPart(part))),
      ...changed.filter(({ part }) => lookOfPart(part) === "running"),
    ];
    const shown = others.slice(0, Math.floor(this.#room));
    this.#room -= shown.length;
    const rest = others.slice(shown.length);
    return [...[...failed, ...shown].map(lineOf), ...(rest.length === 0 ? [] : [restLine(rest)])];
  }
}

/** A nested deployment has a line only where it failed by itself, as for an invalid template. */
function hasLine(part: OperationPart): boolean {
  return !isGroup(part) || (part.status === "Failed" && failedPartsIn(part.parts).length === 0);
}

function isOver(look: string): boolean {
  return look !== "failed" && look !== "running" && look !== "waiting";
}

/** `network/gateway Failed 0:37 (Microsoft.Network/virtualNetworkGateways): QuotaExceeded` */
function lineOf({ part, path }: LocatedPart): string {
  const { name, type, durationInMs } = part;
  const time = durationInMs === undefined ? "" : ` ${clockText(durationInMs)}`;
  const reason = part.error === undefined ? "" : `: ${codeOfPart(part)}`;
  return singleLine(`${[...path, name].join("/")} ${stateOf({ part })}${time} (${type})${reason}`);
}

/** `14 other parts: 12 Succeeded, 2 Running` */
function restLine(rest: readonly LocatedPart[]): string {
  const counts = new Map<string, number>();
  for (const located of rest) counts.set(stateOf(located), (counts.get(stateOf(located)) ?? 0) + 1);
  const states = Array.from(counts, ([state, count]) => `${count} ${state}`).join(", ");
  return singleLine(`${rest.length} other ${rest.length === 1 ? "part" : "parts"}: ${states}`);
}

function stateOf({ part }: Pick<LocatedPart, "part">): string {
  return lookOfPart(part) === "skipped" ? "skipped" : part.status;
}
