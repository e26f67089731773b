import { isTerminal } from "../operation/status.ts";
import type { OperationPart, OperationState, TerminalState } from "../operation/status.ts";
import { isDeploymentType, lastAction, lastSegment, typeIn } from "./row.ts";
import type { Row } from "./row.ts";

/** A deployment whose list of operations may be read: the root, or one nested in it. */
export interface KnownDeployment {
  /** The resource id, as it came first. */
  readonly id: string;
  /** The number of deployments above it. */
  readonly depth: number;
  /** The deployment above it; `undefined` for the root. */
  readonly parentKey: string | undefined;
  /** The key of its row in the parent's list. */
  readonly rowKey: string | undefined;
  /** The rows by the part that they are about. */
  readonly rows: ReadonlyMap<string, Row>;
  /** The row of the last action. It comes only where the deployment succeeds. */
  readonly lastRow: Row | undefined;
  /** Whether it was read at least once. */
  readonly wasRead: boolean;
  /** Whether no later list can bring news. */
  readonly isClosed: boolean;
}

/** The parts of a deployment that are known so far. */
export interface PartsState {
  /** The root first, then each deployment after the one above it. */
  readonly deployments: ReadonlyMap<string, KnownDeployment>;
  /** The start of this run, by the service's clock: a name that is used again may still show older operations. */
  readonly startedAt: number | undefined;
  /** Ids of parts of the root that wait for others. */
  readonly waitingIds: readonly string[];
  /** Ids of all resources, where the caller knows them. */
  readonly expectedIds: readonly string[] | undefined;
  /** How the root has ended. */
  readonly end: TerminalState | undefined;
}

/** Actions that are parts. The engine's own, such as `Read` and `EvaluateDeploymentOutput`, are none. */
const countedActions: ReadonlySet<string> = new Set(["create", "delete", "deploymentcleanup", "action"]);

/** A deployment has at most 800 resources; more levels than these are no tree of templates. */
const maxDepth = 16;

/** A date in a list may be a little before that of the start. */
const startToleranceInMs = 2000;

/** Returns the parts of a deployment of which nothing is known yet. */
export function noParts(rootId: string, expectedIds?: readonly string[]): PartsState {
  const root = { id: rootId, depth: 0, parentKey: undefined, rowKey: undefined };
  return {
    deployments: new Map([[keyOf(rootId), { ...root, ...nothingRead }]]),
    startedAt: undefined,
    waitingIds: [],
    expectedIds,
    end: undefined,
  };
}

const nothingRead = {
  rows: new Map<string, Row>(),
  lastRow: undefined,
  wasRead: false,
  isClosed: false,
} as const;

/** Returns the form in which resource ids are compared: services change their case. */
export function keyOf(id: string): string {
  return id.toLowerCase();
}

/** Returns the state after a list of one deployment's operations, all pages of it. */
export function withRows(
  state: PartsState,
  key: string,
  rows: readonly Row[],
  wasParentOver: boolean,
): PartsState {
  const before = state.deployments.get(key);
  if (before === undefined) return state;
  const known = new Map(before.rows);
  let { lastRow } = before;
  for (const row of rows) {
    if (isOfEarlierRun(row, state.startedAt)) continue;
    const action = row.action.toLowerCase();
    if (action === lastAction) lastRow = newer(lastRow, row);
    if (!countedActions.has(action)) continue;
    const partKey = `${action} ${keyOf(row.id ?? row.operationId)}`;
    known.set(partKey, newer(known.get(partKey), row));
  }
  const isLastOver = lastRow !== undefined && isTerminal(lastRow.status);
  const isClosed =
    wasParentOver || (isLastOver && [...known.values()].every(({ status }) => isTerminal(status)));
  const deployments = new Map(state.deployments);
  deployments.set(key, { ...before, rows: known, lastRow, wasRead: true, isClosed });
  for (const [rowKey, row] of before.depth < maxDepth ? known : []) {
    if (row.id === undefined || !isNested(row) || deployments.has(keyOf(row.id))) continue;
    const place = { id: row.id, depth: before.depth + 1, parentKey: key, rowKey };
    deployments.set(keyOf(row.id), { ...place, ...nothingRead });
  }
  return { ...state, deployments };
}

/** Returns the state after a list that does not exist: not yet, or, once the parent's row is over, never. */
export function withoutList(state: PartsState, key: string, wasParentOver: boolean): PartsState {
  const before = state.deployments.get(key);
  if (before === undefined || !wasParentOver) return state;
  return { ...state, deployments: new Map(state.deployments).set(key, { ...before, isClosed: true }) };
}

/** Returns whether the row of a deployment in its parent's list is over. The root has none. */
export function isParentOver(state: PartsState, { parentKey, rowKey }: KnownDeployment): boolean {
  const row = rowIn(state, parentKey, rowKey);
  return row === undefined ? state.end !== undefined : isTerminal(row.status);
}

function rowIn(
  state: PartsState,
  parentKey: string | undefined,
  rowKey: string | undefined,
): Row | undefined {
  if (parentKey === undefined || rowKey === undefined) return undefined;
  return state.deployments.get(parentKey)?.rows.get(rowKey);
}

/** The delay after which the row of a nested deployment follows its own last action, and that of the last action. */
export const parentLagInMs = 7500;

/**
 * Returns when the root ends, by the service's clock: once all its parts are over. A nested deployment is, as soon as its
 * own list says so. `undefined` while any part runs.
 */
export function expectedEnd(state: PartsState): number | undefined {
  const [root] = state.deployments.values();
  if (root === undefined || root.rows.size === 0) return undefined;
  if (root.lastRow !== undefined && isTerminal(root.lastRow.status)) return root.lastRow.changedAt ?? 0;
  let endsAt = 0;
  for (const row of root.rows.values()) {
    if (isTerminal(row.status)) continue;
    const child = nestedAt(state, row);
    if (!child?.isClosed || child.lastRow?.changedAt === undefined) return undefined;
    endsAt = Math.max(endsAt, child.lastRow.changedAt + parentLagInMs);
  }
  return endsAt;
}

/** A row that is over never runs again; a new attempt is a row of its own. */
function newer(known: Row | undefined, row: Row): Row {
  if (known === undefined) return row;
  if (known.operationId === row.operationId)
    return isTerminal(known.status) && !isTerminal(row.status) ? known : row;
  return (row.changedAt ?? Infinity) >= (known.changedAt ?? -Infinity) ? row : known;
}

function isOfEarlierRun({ changedAt }: Row, startedAt: number | undefined): boolean {
  return changedAt !== undefined && startedAt !== undefined && changedAt < startedAt - startToleranceInMs;
}

/** Returns whether a row is about a nested deployment. */
export function isNested({ type, action }: Row): boolean {
  return isDeploymentType(type) && action.toLowerCase() === "create";
}

/** Returns the nested deployment that a row is about. */
function nestedAt({ deployments }: PartsState, row: Row): KnownDeployment | undefined {
  return isNested(row) && row.id !== undefined ? deployments.get(keyOf(row.id)) : undefined;
}

/** Returns the state once it is known when the run has started. Rows of an earlier run are left out. */
export function withStart(state: PartsState, startedAt: number): PartsState {
  if (state.startedAt === startedAt) return state;
  const deployments = new Map<string, KnownDeployment>();
  for (const [key, deployment] of state.deployments) {
    const rows = [...deployment.rows].filter(([, row]) => !isOfEarlierRun(row, startedAt));
    deployments.set(key, { ...deployment, rows: new Map(rows) });
  }
  return { ...state, startedAt, deployments };
}

/** Returns the tree of the parts. */
export function treeOf(state: PartsState): readonly OperationPart[] {
  const [rootKey] = state.deployments.keys();
  if (rootKey === undefined) return [];
  return [...partsOf(state, rootKey), ...unseenParts(state)];
}

function partsOf(state: PartsState, key: string): readonly OperationPart[] {
  const rows = [...(state.deployments.get(key)?.rows.values() ?? [])];
  return rows
    .toSorted((one, other) => (one.startedAt ?? 0) - (other.startedAt ?? 0))
    .map((row) => partOf(state, key, row));
}

function partOf(state: PartsState, key: string, row: Row): OperationPart {
  const known = nestedAt(state, row);
  // A row about a deployment above, or one that another list has too, would have its parts twice.
  const child = known?.parentKey === key ? known : undefined;
  const status = stateOf(state, row, child);
  const endedAt = child?.isClosed ? (child.lastRow?.changedAt ?? row.changedAt) : row.changedAt;
  const { name, type, id, startedAt, error } = row;
  const durationInMs =
    startedAt === undefined || endedAt === undefined ? row.durationInMs : endedAt - startedAt;
  return {
    name,
    type,
    id,
    status,
    startTime: startedAt === undefined ? undefined : new Date(startedAt),
    // A root that has succeeded before its list says so leaves the end of the last part unknown.
    durationInMs: isTerminal(row.status) || child?.isClosed ? durationInMs : undefined,
    error,
    parts: child === undefined || row.id === undefined ? [] : partsOf(state, keyOf(row.id)),
  };
}

/** A nested deployment is over with its own last action: its row in the parent's list comes seconds later. */
function stateOf({ end }: PartsState, { status }: Row, child: KnownDeployment | undefined): OperationState {
  if (isTerminal(status)) return status;
  if (child?.isClosed && child.lastRow !== undefined && isTerminal(child.lastRow.status))
    return child.lastRow.status;
  // The root succeeds only after all its parts.
  return end === "Succeeded" ? "Succeeded" : status;
}

/** Returns the parts of the root that are known to come, or that never came. */
function unseenParts(state: PartsState): readonly OperationPart[] {
  const { end, waitingIds, expectedIds = [] } = state;
  if (end === "Succeeded") return [];
  const seen = seenIds(state);
  const ids = end === undefined ? waitingIds : [...waitingIds, ...expectedIds];
  const unseen = new Map(ids.filter((id) => !seen.has(keyOf(id))).map((id) => [keyOf(id), id]));
  return [...unseen.values()].map((id) => ({
    name: lastSegment(id) ?? id,
    type: typeIn(id) ?? "",
    id,
    status: "NotStarted",
    ...(end !== undefined && { wasSkipped: true }),
    parts: [],
  }));
}

function seenIds({ deployments }: PartsState): ReadonlySet<string> {
  return new Set(rowsOf(deployments).flatMap(({ id }) => (id === undefined ? [] : keyOf(id))));
}

function rowsOf(deployments: PartsState["deployments"]): readonly Row[] {
  return [...deployments.values()].flatMap(({ rows }) => [...rows.values()]);
}

/** A part that is no nested deployment, and its state. */
export interface Leaf {
  readonly row: Row;
  readonly isOver: boolean;
}

/** Returns the parts that are no nested deployments. */
export function leavesOf({ deployments, end }: PartsState): readonly Leaf[] {
  return rowsOf(deployments)
    .filter((row) => !isNested(row))
    .map((row) => ({ row, isOver: isTerminal(row.status) || end === "Succeeded" }));
}

/** The numbers of parts. Nested deployments do not count. */
interface PartCounts {
  readonly partsDone: number;
  readonly partsSeen: number;
  readonly partsTotal: number;
  readonly totalIsKnown: boolean;
}

/** Counts the parts. Without the caller's list of them, the total is the least that it can be, and grows. */
export function countParts(state: PartsState): PartCounts {
  const leaves = leavesOf(state);
  const partsSeen = leaves.length;
  const partsDone = leaves.filter(({ isOver }) => isOver).length;
  if (state.end === "Succeeded") return { partsDone, partsSeen, partsTotal: partsSeen, totalIsKnown: true };
  const seen = seenIds(state);
  const ids = resourceKeys(state.expectedIds ?? state.waitingIds);
  const partsTotal = partsSeen + ids.filter((id) => !seen.has(id)).length;
  // More parts than expected: the list was not complete.
  const totalIsKnown = state.expectedIds !== undefined && partsTotal <= ids.length;
  return { partsDone, partsSeen, partsTotal, totalIsKnown };
}

function resourceKeys(ids: readonly string[]): readonly string[] {
  return [...new Set(ids.filter((id) => !isDeploymentType(typeIn(id) ?? "")).map(keyOf))];
}
