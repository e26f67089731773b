import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { OperationState } from "../index.ts";
import { commonHeaders, errorResponse, statusUrl } from "./responses.ts";
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

/** A request that came to the server. */
export interface RecordedRequest {
  /** The HTTP verb. */
  readonly method: string;
  /** The path, without its query. */
  readonly path: string;
  /** The whole URL that was asked for, query included. */
  readonly url: string;
  /** By their lower-case names. */
  readonly headers: IncomingHttpHeaders;
  /** Milliseconds of the server's clock (`performance.now()`). */
  readonly receivedAt: number;
  /** The operation that it read or began. */
  readonly operationId?: string;
  /** 1 for the first read of the operation. */
  readonly pollNumber?: number;
  /** Missing as long as no status line was sent. */
  readonly responseStatus?: number;
}

/** An operation to be added, and where. */
export interface AddOperationOptions extends OperationPlan {
  /** Default `myProject`. */
  readonly projectName?: string;
  /** Default: a random uuid. */
  readonly operationId?: string;
}

/** Where to find an added operation. */
export interface AddedOperation {
  /** What `client.operation` takes second. */
  readonly operationId: string;
  /** What `client.operation` takes first. */
  readonly projectName: string;
  /** What the `Operation-Location` header would have said, its api-version being 2025-02-01. */
  readonly operationLocation: string;
}

/** A server on the loopback address that speaks as DevCenter's data plane does in recordings. */
export interface OperationStatusServer extends AsyncDisposable {
  /** The origin, without a slash at the end. */
  readonly endpoint: string;
  /** Every request that came, in order. */
  readonly requests: readonly RecordedRequest[];
  /**
   * Adds an operation whose life begins now.
   *
   * @throws TypeError or RangeError that names the option that is wrong
   */
  addOperation(options?: AddOperationOptions): AddedOperation;
  /**
   * Takes an operation out of its timeline: from now on it is in this phase.
   *
   * @throws RangeError when the server has no such operation
   */
  setStatus(operationId: string, phase: Phase | OperationState): void;
  /**
   * What the next answer would say of an operation. Leaves no trace.
   *
   * @throws RangeError when the server has no such operation
   */
  state(operationId: string): StatusBody;
  /**
   * Lets the next reads of a status go wrong (`times`, default 1), whichever operation they ask for. A read that
   * its own operation has a fault for is left out.
   *
   * @throws TypeError or RangeError that names the field that is wrong
   */
  failNext(fault: Fault, times?: number): void;
  /** Breaks every connection and refuses new ones, as a server that is restarted. Its operations go on. */
  goOffline(): Promise<void>;
  /**
   * Is there again, at the same port.
   *
   * @throws the system's error when another has taken the port meanwhile
   */
  goOnline(): Promise<void>;
  /** Breaks every connection and gives up the port. Requests that hang come to their end. */
  close(): Promise<void>;
}

/**
 * Starts a server that speaks as DevCenter's data plane does: the status of operations, and the requests on dev
 * boxes, environments and customization tasks that begin one. It plans what operations do, and what goes wrong.
 *
 * @throws TypeError or RangeError that names the option that is wrong; the system's error when it cannot listen
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
    this.#plane.failNext(fault, times);
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
    // The clock that dates the bodies: a client tells an operation's age by the two.
    response.setHeader("date", new Date(this.#settings.clock.timestamp()).toUTCString());
    await this.#replyTo(request, url, rate)
      .then((reply) => this.#send(reply, response, recording))
      .catch((error: unknown) => this.#send(failedReply(error), response, recording));
  }

  #send(
    { response: sent, deliveryFault, ...poll }: Reply,
    response: ServerResponse,
    recording: Recording,
  ): void {
    Object.assign(recording, poll);
    const { clock } = this.#settings;
    whenDue(response, clock, deliveryFault, () => {
      deliver(response, sent, clock, deliveryFault);
      if (response.headersSent) recording.responseStatus = sent.status;
    });
  }

  /** At the origin that the request was sent to: the service's answers name that one. */
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
    const refusal = this.#refusalOf(headers, rate);
    const bodyText = await text(request);
    return refusal ?? respondTo(this.#plane, { method, url, headers, bodyText });
  }

  #refusalOf({ authorization }: IncomingHttpHeaders, rate: CountedRequest): Reply | undefined {
    const { requireAuthorization, rateLimitRetryAfter = rate.secondsLeft } = this.#settings;
    if (rate.isExceeded) {
      const headers = rateLimitRetryAfter === null ? {} : { "retry-after": String(rateLimitRetryAfter) };
      return { response: errorResponse(429, "TooManyRequests", "Too many requests.", { headers }) };
    }
    const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
    if (requireAuthorization === undefined || requireAuthorization(token)) return undefined;
    const headers = { "www-authenticate": 'Bearer realm=""' };
    return { response: errorResponse(401, "Unauthorized", "The token is not accepted.", { headers }) };
  }
}

/** So that a test sees what its own callback threw. */
function failedReply(error: unknown): Reply {
  const message = error instanceof Error ? error.message : String(error);
  return { response: errorResponse(500, "TestServerFailed", message) };
}
