/** A state after which nothing changes any more. */
export type TerminalState = "Succeeded" | "Failed" | "Canceled";

/**
 * The state of an operation. The five words are the Azure REST guidelines'. A service may send any other
 * (`InProgress`, `Creating`): it counts as running and is kept as it came.
 */
export type OperationState = "NotStarted" | "Running" | TerminalState | (string & {});

/**
 * Words of a service that end an operation, beyond the known ones. They are compared without case and without spaces
 * around them, and take precedence over the known ones.
 */
export interface TerminalStates {
  /** The operation has succeeded. */
  readonly succeeded?: readonly string[] | undefined;
  /** The operation has failed. */
  readonly failed?: readonly string[] | undefined;
  /** The operation was canceled. */
  readonly canceled?: readonly string[] | undefined;
}

/** Returns whether nothing changes any more in this state. */
export function isTerminal(state: OperationState | undefined): state is TerminalState {
  return state === "Succeeded" || state === "Failed" || state === "Canceled";
}

/** Returns the form in which words are compared: without case and outer spaces. */
export function keyOfWord(word: string): string {
  return word.trim().toLowerCase();
}

/** More facts about an error, such as the policy that refused it. */
export interface ErrorAdditionalInfo {
  /** The kind of `info`, such as `PolicyViolation`. */
  readonly type?: string | undefined;
  /** The facts, as the service sent them. */
  readonly info?: unknown;
  /** Fields beyond the guidelines, as they came. */
  readonly [field: string]: unknown;
}

/** One level below an {@link OperationError}. Azure.Core gives it no message; some services do. */
export interface InnerError {
  /** The service's code, more specific than the one above it. */
  readonly code?: string | undefined;
  /** The text for people. */
  readonly message?: string | undefined;
  /** The subject of the error. */
  readonly target?: string | undefined;
  /** The errors that led to this one. */
  readonly details?: readonly OperationError[] | undefined;
  /** The next level. */
  readonly innererror?: InnerError | undefined;
  /** More facts, such as the policy that refused an operation. */
  readonly additionalInfo?: readonly ErrorAdditionalInfo[] | undefined;
  /** Fields beyond the guidelines, as they came. */
  readonly [field: string]: unknown;
}

/** The error that a service reports. Its `code` is the contract; the rest may change between releases of the service. */
export interface OperationError extends InnerError {
  /** The service's code. Empty where the service sent none. */
  readonly code: string;
  /** The text for people. Empty where the service sent none. */
  readonly message: string;
  /**
   * The error as the service sent it; only at the top. It is not enumerable. `JSON.stringify` writes it in the place of
   * the parsed error.
   */
  readonly raw?: unknown;
}

/** The most specific part of an {@link OperationError}. */
export interface RootCause {
  /** The innermost code. Empty where the service sent none. */
  readonly code: string;
  /** The message nearest to the code. Empty where the service sent none. */
  readonly message: string;
}

/** One part of an operation, such as a resource of a deployment. */
export interface OperationPart {
  /** The part's name, such as that of the resource. */
  readonly name: string;
  /** The resource type, such as `Microsoft.Storage/storageAccounts`. */
  readonly type: string;
  /** The resource id; `undefined` where the service sends none. */
  readonly id?: string | undefined;
  /** The state. A word that ends a part is `Succeeded`, `Failed` or `Canceled` here. */
  readonly status: OperationState;
  /** The start of the part, by the service's clock. */
  readonly startTime?: Date | undefined;
  /** The duration of a terminal part, in milliseconds. */
  readonly durationInMs?: number | undefined;
  /** The reason why the part failed. */
  readonly error?: OperationError | undefined;
  /** Whether the part did not run because another part failed. */
  readonly wasSkipped?: boolean;
  /** The parts of a nested deployment; empty for a resource. */
  readonly parts: readonly OperationPart[];
}

/**
 * The meaning of a percentage: the service's own, the share of the parts that are done, or an estimate that weighs each
 * part by its usual duration.
 */
export type PercentageKind = "reported" | "shareOfParts" | "timeWeighted";

/** The fields that every Azure status monitor has in common. */
export interface StatusFields<P = unknown> {
  /** The operation's state. A word that ends an operation is `Succeeded`, `Failed` or `Canceled` here. */
  readonly status: OperationState;
  /** The service's own word for the state, where it is another one: `Completed`, `PartiallySucceeded`. */
  readonly serviceStatus?: string | undefined;
  /** The start of the operation, by the service's clock. */
  readonly startTime?: Date | undefined;
  /** The end of the operation, by the service's clock. */
  readonly endTime?: Date | undefined;
  /** 0 to 100. DevCenter mostly sends none. */
  readonly percentComplete?: number | undefined;
  /** The meaning of `percentComplete`. Default `reported`. */
  readonly percentageKind?: PercentageKind | undefined;
  /** The parts of the operation, such as a deployment's resources; `undefined` where they are not known. */
  readonly parts?: readonly OperationPart[] | undefined;
  /** The number of parts that are over. Nested deployments do not count, here and below. */
  readonly partsDone?: number | undefined;
  /** The number of parts that have been seen. */
  readonly partsSeen?: number | undefined;
  /** The number of all parts, or the least that it can be. */
  readonly partsTotal?: number | undefined;
  /** Whether `partsTotal` is the number of all parts. */
  readonly totalIsKnown?: boolean | undefined;
  /** The result; only on success. */
  readonly properties?: P | undefined;
  /** The reason why the operation failed or was canceled. */
  readonly error?: OperationError | undefined;
  /** The resource that is operated on. */
  readonly resourceId?: string | undefined;
  /** Values of these fields that have no plain meaning, as they came: `{ startTime: "yesterday" }`. */
  readonly invalidFields?: Readonly<Record<string, unknown>> | undefined;
  /** Fields beyond the contract, as they came. */
  readonly [field: string]: unknown;
}

/** The status of an operation, checked and with its dates parsed. Fields beyond the contract are kept. */
export interface OperationStatus<P = unknown> extends StatusFields<P> {
  /** The fully qualified id of the status, such as `/projects/p/operationstatuses/fa067167-…`. */
  readonly id: string;
  /** The operation's id. */
  readonly name: string;
}
