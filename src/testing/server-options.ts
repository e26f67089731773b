import { systemClock } from "../index.ts";
import type { Clock } from "../index.ts";
import { checkFunction, checkNumber, checkObject, checkString } from "./validation.ts";
import type { ReceivedInitialRequest } from "./data-plane.ts";
import type { OperationPlan } from "./served-operation.ts";

/** How an operation status server behaves. */
export interface OperationStatusServerOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** PEM texts that make it an HTTPS server. Default: HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** How many milliseconds of a timeline pass in one of the clock's. Default 1. */
  readonly speed?: number;
  /** Passes the time of timelines, of the rate limit and of slow bodies. Default: the real one. */
  readonly clock?: Clock;
  /** More requests in a minute are answered by 429. Default: none are, and the headers count down from 300. */
  readonly requestsPerMinute?: number;
  /** The `Retry-After` of such a 429; `null` for none. Default: the seconds until requests are welcome again. */
  readonly rateLimitRetryAfter?: string | number | null;
  /** Whether to let a request in by its bearer token; 401 otherwise. Default: everybody. */
  readonly requireAuthorization?: (token: string | undefined) => boolean;
  /** Plans an operation that a request begins. Default, and where it returns `undefined`: the usual plan. */
  readonly onInitialRequest?: (request: ReceivedInitialRequest) => OperationPlan | undefined;
}

/** The options with their defaults. */
export type ServerSettings = OperationStatusServerOptions &
  Required<Pick<OperationStatusServerOptions, "port" | "speed" | "clock">>;

/** @throws TypeError or RangeError that names the option, what was expected and what came */
export function resolveServerOptions(options: OperationStatusServerOptions): ServerSettings {
  checkObject("options", options);
  const { port = 0, speed = 1, clock = systemClock, tls, requestsPerMinute } = options;
  checkNumber("port", port, { most: 65_535, isInteger: true });
  checkNumber("speed", speed, { least: Number.MIN_VALUE });
  checkFunction("requireAuthorization", options.requireAuthorization);
  checkFunction("onInitialRequest", options.onInitialRequest);
  if (requestsPerMinute !== undefined) {
    checkNumber("requestsPerMinute", requestsPerMinute, { isInteger: true });
  }
  if (tls !== undefined) checkTls(tls);
  return { ...options, port, speed, clock };
}

function checkTls(tls: { readonly key: string; readonly cert: string }): void {
  checkObject("tls", tls);
  checkString("tls.key", tls.key);
  checkString("tls.cert", tls.cert);
}
