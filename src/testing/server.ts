import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { OperationState } from "../index.ts";
import { bearerTokenOf, commonHeaders, errorResponse, statusUrl, unauthorizedResponse } from "./responses.ts";
import type { StatusBody } from "./responses.ts";
import type { Reply } from "./route.ts";
import { checkNumber, checkPattern, operationIdPattern, projectNamePattern } from "./validation.ts";
import { DataPlane } from "./data-plane.ts";
import { deliver, whenDue } from "./delivery.ts";
import { checkFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { Listener } from "./listener.ts";
import { RateLimit } from "./rate-limit.ts";
import type { CountedRequest } from "./rate-limit.ts";
import { preflight, respondTo } from "./routes.ts";
import { resolveServerOptions } from "./server-options.ts";
import type { OperationStatusServerOptions, ServerSettings } from "./server-options.ts";
import type { OperationPlan } from "./served-operation.ts";
import { checkPhase } from "./timeline.ts";
import type { Phase } from "./timeline.ts";

/** A request that the server has received. */
export interface RecordedRequest {
  /** The HTTP verb. */
  readonly method: string;
  /** The path, without its query. */
  readonly path: string;
  /** The whole URL, query included. */
  readonly url: string;
  /** The headers, by their lower-case names. */
  readonly headers: IncomingHttpHeaders;
  /** The time of arrival, in milliseconds of the server's clock (`performance.now()`). */
  readonly receivedAt: number;
  /** The operation that it polled or started. */
  readonly operationId?: string;
  /** The number of the poll: 1 for the operation's first. */
  readonly pollNumber?: number;
  /** The HTTP status of the response; missing until it is sent. */
  readonly responseStatus?: number;
}

/** Options of {@link OperationStatusServer.addOperation}. */
export interface AddOperationOptions extends OperationPlan {
  /** The operation's project. Default `myProject`. */
  readonly projectName?: string;
  /** The operation's id. Default: a random UUID. */
  readonly operationId?: string;
}

/** The names and the URL of an added operation. */
export interface AddedOperation {
  /** The second argument of `client.operation`. */
  readonly operationId: string;
  /** The first argument of `client.operation`. */
  readonly projectName: string;
  /** The URL of the operation's status monitor, with api-version 2025-02-01. */
  readonly operationLocation: string;
}

/** A server on the loopback address that responds as DevCenter's data plane does in recordings. */
export interface OperationStatusServer extends AsyncDisposable {
  /** The server's origin, without a slash at the end. */
  readonly endpoint: string;
  /** Every request so far, in order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /**
   * Adds an operation, which starts now by default.
   *
   * @throws TypeError or RangeError that names the option that is wrong
   */
  addOperation(options?: AddOperationOptions): AddedOperation;
  /**
   * Puts an operation into this phase, which replaces its timeline.
   *
   * @throws RangeError if the server has no such operation
   */
  setStatus(operationId: string, phase: Phase | OperationState): void;
  /**
   * Returns the status that the next poll of an operation would get. Counts no poll.
   *
   * @throws RangeError if the server has no such operation
   */
  state(operationId: string): StatusBody;
  /**
   * Applies a fault to the next `times` polls (default 1) of any operation. Polls for which their operation has a fault
   * of its own do not count.
   *
   * @throws TypeError or RangeError that names the field that is wrong
   */
  failNext(fault: Fault, times?: number): void;
  /** Breaks every connection and refuses new ones, as in a restart. Operations continue. */
  goOffline(): Promise<void>;
  /**
   * Accepts connections again, at the same port.
   *
   * @throws the system's error if the port has been taken meanwhile
   */
  goOnline(): Promise<void>;
  /** Breaks every connection, also of requests that hang, and frees the port. */
  close(): Promise<void>;
}

/**
 * Starts a server that responds as DevCenter's data plane does. It serves the status of operations, and the requests on
 * dev boxes, environments and customization tasks that start one. Plans set the phases and faults of operations.
 *
 * @example
 * ```ts
 * const server = await startOperationStatusServer();
 * const { projectName, operationId } = server.addOperation({
 *   timeline: [{ status: "Running", polls: 2 }, { status: "Succeeded", properties: { answer: 42 } }],
 * });
 * const client = new OperationStatusesClient(server.endpoint);
 * console.log(await pollUntilDone(client.operation(projectName, operationId)));
 * await server.close();
 * ```
 * @throws TypeError or RangeError that names the option that is wrong; the system's error if it cannot listen
 */
export async function startOperationStatusServer(
  options: OperationStatusServerOptions = {},
): Promise<OperationStatusServer> {
  const settings = resolveServerOptions(options);
  const listener = new Listener(settings.port, settings.tls);
  await listener.open();
  return new HttpServer(listener, settings);
}

type Recording = { -readonly [field in keyof RecordedRequest]: RecordedRequest[field] };

class HttpServer implements OperationStatusServer {
  readonly endpoint: string;
  readonly requests: Recording[] = [];
  readonly #listener: Listener;
  readonly #settings: ServerSettings;
  readonly #plane: DataPlane;
  readonly #rateLimit: RateLimit;

  constructor(listener: Listener, settings: ServerSettings) {
    const { clock, requestsPerMinute, onInitialRequest, tls } = settings;
    this.endpoint = `${tls ? "https" : "http"}://127.0.0.1:${listener.port}`;
    this.#listener = listener;
    this.#settings = settings;
    this.#plane = new DataPlane(settings, onInitialRequest);
    this.#rateLimit = new RateLimit(clock, requestsPerMinute);
    listener.onRequest((request, response) => void this.#handle(request, response));
  }

  addOperation(options: AddOperationOptions = {}): AddedOperation {
    const { projectName = "myProject", operationId = randomUUID(), ...plan } = options;
    checkPattern("projectName", projectName, projectNamePattern);
    checkPattern("operationId", operationId, operationIdPattern);
    this.#plane.add(projectName, plan, operationId);
    const operationLocation = statusUrl(this.endpoint, projectName, operationId, "2025-02-01");
    return { operationId, projectName, operationLocation };
  }

  setStatus(operationId: string, phase: Phase | OperationState): void {
    const whole = typeof phase === "string" ? { status: phase } : phase;
    checkPhase("phase", whole);
    this.#plane.get(operationId).enter(whole);
  }

  state(operationId: string): StatusBody {
    return this.#plane.get(operationId).status();
  }

  failNext(fault: Fault, times = 1): void {
    checkFault("fault", fault);
    checkNumber("times", times, { isInteger: true });
    for (let time = 0; time < times; time++) this.#plane.nextFaults.push(fault);
  }

  goOffline(): Promise<void> {
    return this.#listener.close();
  }

  goOnline(): Promise<void> {
    return this.#listener.open();
  }

  close(): Promise<void> {
    return this.#listener.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = this.#urlOf(request);
    const recording = this.#record(request, url);
    const rate = this.#rateLimit.count();
    response.setHeaders(commonHeaders(request.headers, rate.headers));
    // By the same clock as the dates in bodies: clients compare the two to get an operation's age.
    response.setHeader("date", new Date(this.#settings.clock.timestamp()).toUTCString());
    await this.#replyTo(request, url, rate)
      .then((reply) => this.#send(reply, response, recording))
      .catch((error: unknown) => this.#send(failedReply(error), response, recording));
  }

  #send(reply: Reply, response: ServerResponse, recording: Recording): void {
    const { response: content, deliveryFault, ...poll } = reply;
    Object.assign(recording, poll);
    const { clock } = this.#settings;
    whenDue(response, clock, deliveryFault, () => {
      deliver(response, content, clock, deliveryFault);
      if (response.headersSent) recording.responseStatus = content.status;
    });
  }

  /** Returns the URL with the origin that the client used, because the service's responses contain that origin. */
  #urlOf({ url = "/", headers }: IncomingMessage): URL {
    const origin = `${new URL(this.endpoint).protocol}//${headers.host}`;
    return URL.canParse(url, origin) ? new URL(url, origin) : new URL(this.endpoint);
  }

  #record({ method = "", headers }: IncomingMessage, url: URL): Recording {
    const receivedAt = this.#settings.clock.now();
    const recording = { method, path: url.pathname, url: url.href, headers, receivedAt };
    this.requests.push(recording);
    return recording;
  }

  async #replyTo(request: IncomingMessage, url: URL, rate: CountedRequest): Promise<Reply> {
    const { method = "", headers } = request;
    if (method === "OPTIONS") return { response: preflight(headers["access-control-request-headers"]) };
    const rejection = this.#rejectionOf(headers, rate);
    const bodyText = await text(request);
    return rejection ?? respondTo(this.#plane, { method, url, headers, bodyText });
  }

  #rejectionOf(requestHeaders: IncomingHttpHeaders, rate: CountedRequest): Reply | undefined {
    const { requireAuthorization, rateLimitRetryAfter = rate.secondsLeft } = this.#settings;
    if (rate.isExceeded) {
      const headers = rateLimitRetryAfter === null ? {} : { "retry-after": String(rateLimitRetryAfter) };
      return { response: errorResponse(429, "TooManyRequests", "Too many requests.", { headers }) };
    }
    const token = bearerTokenOf(requestHeaders);
    if (requireAuthorization === undefined || requireAuthorization(token)) return undefined;
    return { response: unauthorizedResponse(token, { "www-authenticate": 'Bearer realm=""' }) };
  }
}

/** Returns a 500 that shows a test the error of its own callback. */
function failedReply(error: unknown): Reply {
  const message = error instanceof Error ? error.message : String(error);
  return { response: errorResponse(500, "TestServerFailed", message) };
}
