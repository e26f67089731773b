import { OperationFailedError, isTerminal } from "../../index.ts";
import type { OperationError, OperationPart, OperationStatus } from "../../index.ts";
import { clockText } from "../input/duration.ts";
import { printable, singleLine } from "./text.ts";
import { causeCodeOf, explainError } from "./wait-outcome.ts";

/** How a part is going, the most urgent first. */
const looks = ["failed", "running", "waiting", "stopped", "skipped", "succeeded"] as const;

/** How a part is going. */
export type PartLook = (typeof looks)[number];

/** A part of an operation, to be drawn. Its texts have no control characters. */
export interface PartView {
  readonly name: string;
  /** `Microsoft.Storage/storageAccounts` */
  readonly type: string;
  /** The service's word, or `skipped`. */
  readonly state: string;
  readonly look: PartLook;
  /** By the clock of `now`. */
  readonly startedAt?: number | undefined;
  /** Of a part that is over. */
  readonly durationInMs?: number | undefined;
  /** The code of its error, unless a part of it has one too. */
  readonly note?: string | undefined;
  /** Whether it is a nested deployment, which does not count as a part itself. */
  readonly isGroup: boolean;
  /** The parts of a nested deployment, the most urgent first. */
  readonly parts: readonly PartView[];
  /** Of the parts of a nested deployment, at every level. */
  readonly done: number;
  /** Of the parts of a nested deployment, at every level. */
  readonly seen: number;
}

/** A part, and its place in the tree. */
export interface PartNode {
  readonly part: PartView;
  readonly parent: PartNode | undefined;
  /** 0 for a part of the operation itself. */
  readonly depth: number;
  /** The place among all nodes of the tree, from the top down. */
  readonly order: number;
}

/** The parts of one operation, to be drawn. */
export interface PartsView {
  /** The most urgent first. */
  readonly parts: readonly PartView[];
  /** All nodes of the tree in the order in which they deserve a row. */
  readonly byUrgency: readonly PartNode[];
  readonly done: number;
  readonly total: number;
  readonly totalIsKnown: boolean;
  /** The parts in each state. Nested deployments do not count. */
  readonly counts: ReadonlyMap<PartLook, number>;
  /** The part that has been running for the longest time. */
  readonly oldest?: PartNode | undefined;
  /** The part that took the longest time. */
  readonly longest?: PartNode | undefined;
}

/** Times of one moment, by both clocks. */
interface Moment {
  readonly now: number;
  readonly timestamp: number;
}

/** Returns the parts of an operation; `undefined` where its status has none. */
export function partsOf(
  { status, parts, partsDone, partsSeen, partsTotal, totalIsKnown = false }: OperationStatus,
  moment: Moment,
): PartsView | undefined {
  if (parts === undefined) return undefined;
  const views = viewsOf(parts, moment);
  const nodes = nodesOf(views);
  const resources = nodes.filter(({ part }) => !part.isGroup);
  const counts = new Map<PartLook, number>();
  for (const { part } of resources) counts.set(part.look, (counts.get(part.look) ?? 0) + 1);
  const done = partsDone ?? sumOf(views, "done");
  const total = Math.max(partsTotal ?? 0, partsSeen ?? sumOf(views, "seen"), done);
  return {
    parts: views,
    byUrgency: nodes.toSorted(byUrgency),
    done,
    total,
    totalIsKnown: totalIsKnown || (isTerminal(status) && done === total),
    counts,
    oldest: oldestOf(resources) ?? oldestOf(nodes),
    longest: longestOf(resources),
  };
}

const deploymentType = "microsoft.resources/deployments";

/** Returns whether a part is a nested deployment, whose own parts count in its place. */
export function isGroup({ type, parts }: OperationPart): boolean {
  return parts.length > 0 || type.toLowerCase() === deploymentType;
}

/** Returns the error of a part with its whole text and data; `undefined` where it has none. */
export function errorOfPart({ id, name, error }: OperationPart): OperationFailedError | undefined {
  if (error === undefined) return undefined;
  return new OperationFailedError({ operation: { id: id ?? name, name, status: "Failed", error } });
}

/** Returns the code of the root cause, or the state where the part has no error. */
export function codeOfPart(part: OperationPart): string {
  const error = errorOfPart(part);
  return error === undefined ? part.status : causeCodeOf(error);
}

/** Returns the whole text of the error, which has no secrets of URLs; empty where there is none. */
export function textOfPart(part: OperationPart): string {
  const error = errorOfPart(part);
  if (error === undefined) return "";
  const text = explainError(error);
  return text.slice(`Operation ${printable(part.name)} failed. `.length);
}

/** Returns how a part is going. */
export function lookOfPart({ status, wasSkipped = false }: OperationPart): PartLook {
  if (wasSkipped) return "skipped";
  if (status === "Failed") return "failed";
  if (status === "Succeeded") return "succeeded";
  if (status === "Canceled") return "stopped";
  return status === "NotStarted" ? "waiting" : "running";
}

/** `virtualNetworks/subnets`, of `Microsoft.Network/virtualNetworks/subnets`. */
export function shortTypeOf(type: string): string {
  return type.slice(type.indexOf("/") + 1);
}

/** `12 of at least 20 parts` */
export function partCountText({
  done,
  total,
  totalIsKnown,
}: Pick<PartsView, "done" | "total" | "totalIsKnown">): string {
  const parts = total === 1 ? "part" : "parts";
  if (done === total && totalIsKnown) return `${total} ${parts}`;
  return `${done} of ${totalIsKnown ? "" : "at least "}${total} ${parts}`;
}

/** `2 failed, 3 running`, without the parts that succeeded. */
export function partStatesText({ counts }: Pick<PartsView, "counts">): readonly string[] {
  return looks
    .filter((look) => look !== "succeeded" && counts.has(look))
    .map((look) => `${counts.get(look)} ${look === "stopped" ? "canceled" : look}`);
}

/** The names from the outermost deployment to the part: `network/gateway`. */
export function pathOf({ part, parent }: PartNode): string {
  return parent === undefined ? part.name : `${pathOf(parent)}/${part.name}`;
}

/** `network/gateway 12:04`, or `gateway 12:04` */
export function ageText(node: PartNode, now: number, isShort = false): string {
  return `${isShort ? node.part.name : pathOf(node)} ${clockText(timeOf(node.part, now) ?? 0)}`;
}

/** Returns how long a part has taken so far, or took; `undefined` if that is unknown. */
export function timeOf({ look, startedAt, durationInMs }: PartView, now: number): number | undefined {
  if (look !== "running") return durationInMs;
  return startedAt === undefined ? undefined : Math.max(0, now - startedAt);
}

function viewsOf(parts: readonly OperationPart[], moment: Moment): PartView[] {
  return parts.map((part) => viewOf(part, moment)).toSorted(byLook);
}

function viewOf(part: OperationPart, moment: Moment): PartView {
  const { name, type, status, startTime, durationInMs } = part;
  const parts = viewsOf(part.parts, moment);
  const look = lookOfPart(part);
  const group = isGroup(part);
  const hasFailedPart = parts.some((one) => one.look === "failed");
  return {
    name: singleLine(name),
    type: singleLine(type),
    state: look === "skipped" ? "skipped" : singleLine(status),
    look,
    // The service's clock may be ahead of this machine's.
    startedAt: startTime && moment.now - Math.max(0, moment.timestamp - startTime.getTime()),
    durationInMs,
    note: hasFailedPart ? undefined : noteOf(part),
    isGroup: group,
    parts,
    done: group ? sumOf(parts, "done") : Number(look !== "running" && look !== "waiting"),
    seen: group ? sumOf(parts, "seen") : 1,
  };
}

/** The codes of root causes: an error comes with each response, and stays the same object as a rule. */
const notes = new WeakMap<OperationError, string>();

function noteOf(part: OperationPart): string | undefined {
  if (part.error === undefined) return undefined;
  const note = notes.get(part.error) ?? singleLine(codeOfPart(part));
  notes.set(part.error, note);
  return note;
}

function sumOf(parts: readonly PartView[], field: "done" | "seen"): number {
  return parts.reduce((sum, part) => sum + part[field], 0);
}

/** Failed parts first, those that ended first before others; then running ones, the oldest first; then the latest. */
function byLook(one: PartView, other: PartView): number {
  const difference = rankOf(one) - rankOf(other);
  if (difference !== 0) return difference;
  if (one.look === "failed") return endOf(one) - endOf(other) || 0;
  if (one.look === "succeeded") return endOf(other) - endOf(one) || 0;
  return (one.startedAt ?? Infinity) - (other.startedAt ?? Infinity) || 0;
}

function rankOf({ look, parts }: PartView): number {
  return parts.some((part) => rankOf(part) === 0) ? 0 : looks.indexOf(look);
}

function endOf({ startedAt = Infinity, durationInMs = 0 }: PartView): number {
  return startedAt + durationInMs;
}

function nodesOf(views: readonly PartView[]): PartNode[] {
  const nodes: PartNode[] = [];
  const add = (part: PartView, parent: PartNode | undefined): void => {
    const node = { part, parent, depth: parent === undefined ? 0 : parent.depth + 1, order: nodes.length };
    nodes.push(node);
    for (const inner of part.parts) add(inner, node);
  };
  for (const view of views) add(view, undefined);
  return nodes;
}

/**
 * A nested deployment stands for its parts where they succeeded, and comes before them. Otherwise it comes after them:
 * each of them brings it along.
 */
function byUrgency(one: PartNode, other: PartNode): number {
  const difference = looks.indexOf(one.part.look) - looks.indexOf(other.part.look);
  if (difference !== 0) return difference;
  const rank = one.part.look === "succeeded" ? one.depth - other.depth : sizeOf(one) - sizeOf(other);
  return rank || one.order - other.order;
}

function sizeOf({ part }: PartNode): number {
  return Math.min(1, part.parts.length);
}

function oldestOf(nodes: readonly PartNode[]): PartNode | undefined {
  const running = nodes.filter(({ part }) => part.look === "running" && part.startedAt !== undefined);
  return running.toSorted((one, other) => startOf(one) - startOf(other))[0];
}

function startOf({ part }: PartNode): number {
  return part.startedAt ?? Infinity;
}

function longestOf(nodes: readonly PartNode[]): PartNode | undefined {
  const timed = nodes.filter(({ part }) => part.durationInMs !== undefined);
  return timed.toSorted((one, other) => (other.part.durationInMs ?? 0) - (one.part.durationInMs ?? 0))[0];
}
