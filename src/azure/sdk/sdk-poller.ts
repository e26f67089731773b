// Only the types of core-lro are used: every Azure SDK's poller has them, and ours must fit where theirs are expected.
import type { OperationState as CoreLroState, PollerLike } from "@azure/core-lro";
import { createHttpHeaders } from "@azure/core-rest-pipeline";
import { isObject } from "../../operation/json-object.ts";
import type { Fields } from "../../operation/json-object.ts";
import type { TerminalState } from "../../operation/status.ts";
import type { ResponseParts } from "../http/response.ts";
import { absoluteUrl } from "../http/validation.ts";
import { coreLroKinds } from "../lro/resume.ts";
import type { PollingLocation } from "../lro/protocol.ts";

/** A poller of core-lro 3, which Azure's modular SDKs return. */
export type AzurePoller<TResult> = PollerLike<CoreLroState<TResult>, TResult>;

/** A poller in the shape of core-lro 2, which Azure's older SDKs and its REST-level clients return. */
export interface LegacyAzurePoller<TResult> {
  /** Polls once. */
  poll(options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
  /** Returns the latest state that the poller knows. */
  getOperationState(): LegacyAzureState<TResult>;
  /** Returns the state as text, from which the SDK restores the poller. */
  toString(): string;
}

/** The state of a {@link LegacyAzurePoller}: the poller's own object, which changes with each poll. */
export interface LegacyAzureState<TResult> {
  /** The operation was canceled. */
  isCancelled?: boolean | undefined;
  /** The operation is over, with any outcome. */
  isCompleted?: boolean | undefined;
  /** The error of an operation that failed. */
  error?: Error | undefined;
  /** The result of an operation that succeeded. */
  result?: TResult | undefined;
}

/** The state of pollers of all kinds: the poller's own object, which changes with each poll. */
export interface SdkState<TResult> extends LegacyAzureState<TResult> {
  status?: string;
  readonly isStarted?: boolean;
  readonly config?: unknown;
}

/** Any poller of an Azure SDK. */
export type SdkPoller<TResult> = AzurePoller<TResult> | LegacyAzurePoller<TResult>;

/** Whether it is a poller of core-lro 3. It has one `AbortController` for all its polls, and is aborted for good. */
export function isCoreLro3(
  poller: SdkPoller<unknown>,
): poller is SdkPoller<unknown> & { submitted(): Promise<void> } {
  return "submitted" in poller;
}

/**
 * Returns the method with which an older SDK asks its service to cancel the operation. That of core-lro's own class sends
 * nothing, and only marks the operation as canceled; others have none.
 */
export function cancelMethodOf(poller: SdkPoller<unknown>): (() => Promise<unknown>) | undefined {
  if (!("cancelOperation" in poller) || isObject(stateOf(poller)?.config)) return undefined;
  const { cancelOperation } = poller;
  return typeof cancelOperation === "function" ? async () => cancelOperation.call(poller) : undefined;
}

/** Returns the state of a poller; `undefined` before core-lro 3 has the response to the initial request. */
export function stateOf<TResult>(poller: SdkPoller<TResult>): SdkState<TResult> | undefined {
  if (!("getOperationState" in poller)) return poller.operationState;
  try {
    return innerState(poller) ?? poller.getOperationState();
  } catch {
    // REST-level clients throw in place of returning nothing.
    return undefined;
  }
}

/** Key Vault's pollers return a copy of their state, so the marks must be removed from the inner state. */
function innerState<TResult>(poller: LegacyAzurePoller<TResult>): SdkState<TResult> | undefined {
  const operation: unknown = "operation" in poller ? poller.operation : undefined;
  // A class of core-lro 2 has the state there that its own getOperationState() shows.
  return isObject(operation) && isObject(operation["state"]) ? operation["state"] : undefined;
}

const ends: ReadonlyMap<string | undefined, TerminalState> = new Map([
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["canceled", "Canceled"],
]);

/** Returns how the operation has ended, by the marks that core-lro and its predecessors leave in a state. */
export function endOf({
  status,
  isCancelled,
  isCompleted,
  error,
}: SdkState<unknown>): TerminalState | undefined {
  const end = ends.get(status?.toLowerCase());
  if (end !== undefined) return end;
  if (isCancelled) return "Canceled";
  if (error) return "Failed";
  return isCompleted ? "Succeeded" : undefined;
}

/** Removes the marks of an end, so that the poller polls again. */
export function removeEnd(state: SdkState<unknown>): void {
  if (ends.has(state.status?.toLowerCase())) state.status = "running";
  state.isCompleted = false;
  delete state.isCancelled;
  delete state.error;
  delete state.result;
}

/** Stands for a URL that only the SDK knows. */
export const unknownUrl = "https://unknown.invalid/";

/**
 * Returns where core-lro polls; `undefined` where only the SDK knows it, or where nothing is left to poll.
 *
 * @param base - the URL to which that in the state may be relative
 */
export function pollingLocationIn(
  state: SdkState<unknown> | undefined,
  base: string = unknownUrl,
): PollingLocation | undefined {
  const { operationLocation, resourceLocation, metadata, requestMethod } = configOf(state);
  const mode: unknown = isObject(metadata) ? metadata["mode"] : undefined;
  const kind = typeof mode === "string" ? coreLroKinds.get(mode) : undefined;
  const monitorUrl = absolute(operationLocation, base);
  if (kind === undefined || monitorUrl === undefined) return undefined;
  const deletion = requestMethod === "DELETE" ? "requested" : undefined;
  return { kind, monitorUrl, resultUrl: absolute(resourceLocation, base), deletion };
}

function absolute(url: unknown, base: string): string | undefined {
  return typeof url === "string" ? absoluteUrl(url, base) : undefined;
}

/** Whether core-lro has no URL to poll: a poll sends no request. The initial response has ended the operation. */
export function hasNoUrl({ config }: SdkState<unknown>): boolean {
  return isObject(config) && config["operationLocation"] === undefined;
}

function configOf(state: SdkState<unknown> | undefined): Fields {
  return isObject(state?.config) ? state.config : {};
}

/**
 * Returns the fields of the JSON text from which the SDK restores its poller; `undefined` before the initial response.
 * They have no result and no error: those may hold requests with their tokens, and the restored poller polls again.
 */
export function serialized(poller: SdkPoller<unknown>): object | undefined {
  const state = stateOf(poller);
  if (state === undefined) return undefined;
  const core = { state: { status: "running", config: configOf(state) } };
  if (!("getOperationState" in poller) || isCoreLro3(poller)) return core;
  const fields = fieldsIn(poller.toString());
  if (fields === undefined || !isObject(fields["state"])) return fields ?? core;
  const running: SdkState<unknown> = { ...fields["state"] };
  removeEnd(running);
  return { ...fields, state: running };
}

const secretFields = /^(_response|authorization|request|requestOptions|abortSignal)$/i;

function fieldsIn(text: string): Fields | undefined {
  try {
    const fields: unknown = JSON.parse(text, (key, value: unknown) =>
      secretFields.test(key) ? undefined : value,
    );
    return isObject(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}

/** Azure's REST-level clients resolve with a response as if it were the operation's result. */
export function responseIn(result: unknown): ResponseParts | undefined {
  if (!isObject(result) || !("body" in result)) return undefined;
  const { status, headers, body } = result;
  if (typeof status !== "string" || !/^[1-5]\d\d$/.test(status)) return undefined;
  return {
    status: Number(status),
    headers: createHttpHeaders(isObject(headers) ? textsIn(headers) : {}),
    bodyAsText: typeof body === "string" ? body : JSON.stringify(body),
  };
}

function textsIn(fields: object): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === "string"));
}
