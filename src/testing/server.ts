import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { OperationState } from "../index.ts";
import { bearerTokenOf, commonHeaders, unauthorizedResponse } from "./styles/responses.ts";
import type { StatusBody } from "./styles/responses.ts";
import type { Reply } from "./route.ts";
import { checkNumber, checkPattern, operationIdPattern } from "./validation.ts";
import type { AddDeploymentOptions, AddedDeployment } from "./deployment-options.ts";
import { DataPlane } from "./data-plane.ts";
import { deliver, whenDue } from "./delivery.ts";
import { checkFault, checkInitialRequestFault } from "./faults.ts";
import type { Fault, InitialRequestFault } from "./faults.ts";
import { Listener } from "./listener.ts";
import { RateLimit } from "./rate-limit.ts";
import type { CountedRequest } from "./rate-limit.ts";
import { preflight } from "./routes.ts";
import { resolveServerOptions } from "./server-options.ts";
import type { OperationServerOptions, ServerSettings } from "./server-options.ts";
import type { AddOperationOptions, AddedOperation, Service } from "./service.ts";
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

/** A server on the loopback address that responds as DevCenter's data plane does in recordings, or as another service. */
export interface OperationServer extends AsyncDisposable {
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
   * Adds a deployment of Azure Resource Manager, which starts now by default.
   *
   * @throws TypeError or RangeError that names the option that is wrong; RangeError without the option `deployments`
   */
  addDeployment(options?: AddDeploymentOptions): AddedDeployment;
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
  /**
   * Applies a fault to the next `times` initial requests (default 1). A fault that replaces the response, such as an
   * HTTP status, rejects the request: no operation starts. After a fault in the delivery the operation has started.
   *
   * @throws TypeError or RangeError that names the field that is wrong
   */
  failNextInitialRequest(fault: InitialRequestFault, times?: number): void;
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
 * Starts a server that responds as DevCenter's data plane does, or as another service by `style`. It serves the status of
 * operations, and the requests that start one. Plans set the phases and faults of operations.
 *
 * @example
 * ```ts
 * const server = await startOperationServer();
 * const { projectName, operationId } = server.addOperation({
 *   timeline: [{ status: "Running", polls: 2 }, { status: "Succeeded", properties: { answer: 42 } }],
 * });
 * const client = new OperationStatusesClient(server.endpoint);
 * console.log(await pollUntilDone(client.operation(projectName, operationId)));
 * await server.close();
 * ```
 * @throws TypeError or RangeError that names the option that is wrong; the system's error if it cannot listen
 */
export async function startOperationServer(options: OperationServerOptions = {}): Promise<OperationServer> {
  const settings = resolveServerOptions(options);
  const listener = new Listener(settings.port, settings.tls);
  await listener.open();
  return new HttpServer(listener, settings);
}

type Recording = { -readonly [field in keyof RecordedRequest]: RecordedRequest[field] };

class HttpServer implements OperationServer {
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
    const { operationId } = options;
    if (operationId !== undefined) checkPattern("operationId", operationId, operationIdPattern);
    return this.#settings.service.addOperation(this.#plane, this.endpoint, options);
  }

  addDeployment(options: AddDeploymentOptions = {}): AddedDeployment {
    const { servedDeployments } = this.#settings;
    if (servedDeployments) return servedDeployments.add(this.endpoint, options);
    throw new RangeError("deployments: expected the option of startOperationServer, got undefined");
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

  failNextInitialRequest(fault: InitialRequestFault, times = 1): void {
    checkInitialRequestFault("fault", fault);
    checkNumber("times", times, { isInteger: true });
    for (let time = 0; time < times; time++) this.#plane.nextInitialFaults.push(fault);
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
    response.setHeaders(commonHeaders(request.headers, this.#settings.service.commonHeaders(rate)));
    // By the same clock as the dates in bodies: clients compare the two to get an operation's age.
    response.setHeader("date", new Date(this.#settings.clock.timestamp()).toUTCString());
    await this.#replyTo(request, url, rate)
      .then((reply) => this.#send(reply, response, recording))
      .catch((error: unknown) => this.#send(failedReply(error, this.#settings.service), response, recording));
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
    return rejection ?? this.#settings.service.respondTo(this.#plane, { method, url, headers, bodyText });
  }

  #isAccepted(token: string | undefined): boolean {
    const { requireAuthorization, service } = this.#settings;
    return requireAuthorization?.(token) ?? (token !== undefined || !service.needsToken);
  }

  #rejectionOf(requestHeaders: IncomingHttpHeaders, rate: CountedRequest): Reply | undefined {
    const { service, rateLimitRetryAfter = rate.secondsLeft } = this.#settings;
    if (rate.isExceeded) {
      const headers = rateLimitRetryAfter === null ? {} : { "retry-after": String(rateLimitRetryAfter) };
      return { response: service.errorResponse(429, "TooManyRequests", "Too many requests.", { headers }) };
    }
    const token = bearerTokenOf(requestHeaders);
    if (this.#isAccepted(token)) return undefined;
    const challenge = { "www-authenticate": service.challenge };
    return { response: unauthorizedResponse(token, challenge, service.errorResponse) };
  }
}

/** Returns a 500 that shows a test the error of its own callback. */
function failedReply(error: unknown, { errorResponse }: Service): Reply {
  const message = error instanceof Error ? error.message : String(error);
  return { response: errorResponse(500, "TestServerFailed", message) };
}
