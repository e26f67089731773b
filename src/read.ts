import type { Clock } from "./clock.ts";
import { ReadError } from "./errors.ts";
import type { Operation, Reading } from "./operation.ts";

/** A read under way. Called off, its promise stays pending for ever. */
export interface PendingRead<P> {
  readonly reading: Promise<Reading<P>>;
  readonly callOff: () => void;
}

/**
 * Asks once and for at most `limitInMs`, the answer's body included. Does not rely on the transport to settle when
 * its signal fires: a stalled decoder never does.
 */
export function beginRead<P>(operation: Operation<P>, clock: Clock, limitInMs: number): PendingRead<P> {
  const controller = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<Reading<P>>();
  const cancelTimer = clock.setTimer(() => {
    isOver = true;
    reject(timeoutError(limitInMs));
    controller.abort();
  }, limitInMs);
  let isOver = false;
  const unlessOver =
    <T>(settle: (value: T) => void) =>
    (value: T): void => {
      if (isOver) return;
      cancelTimer();
      settle(value);
    };
  void readAsync(operation, controller.signal).then(unlessOver(resolve), unlessOver(reject));
  return {
    reading: promise,
    callOff() {
      isOver = true;
      cancelTimer();
      controller.abort();
    },
  };
}

// An async function, so that a transport that throws at once is treated like one that rejects.
async function readAsync<P>(operation: Operation<P>, abortSignal: AbortSignal): Promise<Reading<P>> {
  return operation.read({ abortSignal });
}

function timeoutError(limitInMs: number): ReadError {
  return new ReadError(`no answer within ${Math.round(limitInMs)} ms`, {
    kind: "transient",
    code: "RequestTimeout",
  });
}
