import { systemClock } from "../index.ts";
import type { Clock } from "../index.ts";
import { withDeployments } from "./arm-deployments.ts";
import { checkDeploymentOptions } from "./deployment-checks.ts";
import { Deployments } from "./deployment-service.ts";
import type { DeploymentOptions } from "./deployment-options.ts";
import { checkFunction, checkNumber, checkObject, checkString, describe } from "./validation.ts";
import type { ReceivedInitialRequest } from "./data-plane.ts";
import type { OperationPlan } from "./served-operation.ts";
import type { OperationStyle, Service } from "./service.ts";
import { services } from "./services.ts";

/** Options of {@link startOperationServer}. */
export interface OperationServerOptions {
  /** The service to emulate. Default `devcenter`. */
  readonly style?: OperationStyle;
  /** The port. Default 0: any free one. */
  readonly port?: number;
  /** The key and certificate of an HTTPS server, as PEM texts. Default: HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Milliseconds of a timeline for each millisecond of the clock. Default 1. */
  readonly speed?: number;
  /** The clock of timelines, of the rate limit and of slow bodies. Default: the real one. */
  readonly clock?: Clock;
  /** Further requests in a minute get a 429. Default: no limit, and the headers count down from 300. */
  readonly requestsPerMinute?: number;
  /** The `Retry-After` of such a 429; `null` for none. Default: the seconds until the minute ends. */
  readonly rateLimitRetryAfter?: string | number | null;
  /**
   * Returns whether to accept a request with this bearer token; it gets a 401 otherwise. Default: accept all; with the
   * style `key-vault`, all that have a token.
   */
  readonly requireAuthorization?: (token: string | undefined) => boolean;
  /** Returns the plan of an operation that a request starts. `undefined`, and the default: the default plan. */
  readonly onInitialRequest?: (request: ReceivedInitialRequest) => OperationPlan | undefined;
  /**
   * Serves `Microsoft.Resources/deployments` with their parts, in the style `arm`. Default: a deployment is a resource
   * like any other.
   */
  readonly deployments?: DeploymentOptions;
}

/** The options, with defaults for what is missing. */
export type ServerSettings = OperationServerOptions &
  Required<Pick<OperationServerOptions, "port" | "speed" | "clock">> & {
    readonly service: Service;
    readonly servedDeployments: Deployments | undefined;
  };

/** @throws TypeError or RangeError that names the option, what was expected and what came */
export function resolveServerOptions(options: OperationServerOptions): ServerSettings {
  checkObject("options", options);
  const { port = 0, speed = 1, clock = systemClock, tls, requestsPerMinute } = options;
  const style = options.style ?? "devcenter";
  const service = serviceFor(style);
  checkNumber("port", port, { max: 65_535, isInteger: true });
  checkNumber("speed", speed, { min: Number.MIN_VALUE });
  checkFunction("requireAuthorization", options.requireAuthorization);
  checkFunction("onInitialRequest", options.onInitialRequest);
  if (requestsPerMinute !== undefined)
    checkNumber("requestsPerMinute", requestsPerMinute, { isInteger: true });
  if (tls !== undefined) {
    checkObject("tls", tls);
    checkString("tls.key", tls.key);
    checkString("tls.cert", tls.cert);
  }
  const { deployments } = options;
  if (deployments === undefined)
    return { ...options, port, speed, clock, service, servedDeployments: undefined };
  checkDeploymentOptions("deployments", deployments);
  if (style !== "arm") throw new RangeError(`deployments: expected style "arm", got ${describe(style)}`);
  const servedDeployments = new Deployments(deployments, clock, speed);
  const both = withDeployments(service, servedDeployments);
  return { ...options, port, speed, clock, service: both, servedDeployments };
}

function serviceFor(style: OperationStyle): Service {
  if (Object.hasOwn(services, style)) return services[style];
  throw new RangeError(`style: expected one of ${Object.keys(services).join(", ")}, got ${describe(style)}`);
}
