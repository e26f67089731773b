/** The body of a status that failed, with an error in a shape that a service sends. */
export interface FailedBody {
  readonly service: string;
  /** The feature that sets this error apart. */
  readonly shape: string;
  /** Where the shape is described, as in a row. */
  readonly source: string;
  readonly body: object;
  /** The names of the fields that lead to the service's error. Default: `error`. */
  readonly errorAt?: readonly string[];
  /** The code of the root cause; left out where the service sends none. */
  readonly leafCode?: string;
  /** The message of the root cause; left out where the service sends none. */
  readonly leafMessage?: string;
}

/** A body with the error where the guidelines have it. */
export function failedWith(error: unknown): object {
  return { status: "Failed", error };
}

/** An error as ARM's templates send it inside a message. */
export function escaped(document: object): string {
  return JSON.stringify(document, null, 2).replaceAll("\n", "\r\n");
}
