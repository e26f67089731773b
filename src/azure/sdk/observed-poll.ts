import type {
  Pipeline,
  PipelinePolicy,
  PipelineRequest,
  PipelineResponse,
  SendRequest,
} from "@azure/core-rest-pipeline";
import { onAbort } from "../../abort.ts";
import { RequestError } from "../../operation/errors.ts";
import { errorOfRequest } from "../http/response.ts";
import type { StatusReport } from "../lro/protocol.ts";

/** Parses the response to a poll, where the protocol is known. */
type ParseResponse = (request: PipelineRequest, response: PipelineResponse) => StatusReport | undefined;

/**
 * One poll of an SDK's poller, as the pipeline of its client sees it. The SDK's own layers get no response that says
 * nothing of the operation: they would take it for an end, or repeat the request against its Retry-After.
 */
export class ObservedPoll {
  /** The responses, the last one at the end. */
  readonly responses: PipelineResponse[] = [];
  /** The status, as far as the responses have one in a known form. */
  report: StatusReport | undefined;
  /** The reason why this poll fails, whatever the SDK makes of it. */
  failure: RequestError | undefined;
  readonly #abortSignal: AbortSignal;
  readonly #parse: ParseResponse;

  constructor(abortSignal: AbortSignal, parse: ParseResponse) {
    this.#abortSignal = abortSignal;
    this.#parse = parse;
  }

  /** The last response. */
  get response(): PipelineResponse | undefined {
    return this.responses.at(-1);
  }

  async send(request: PipelineRequest, next: SendRequest): Promise<PipelineResponse> {
    // Another request may start an operation: the SDK decides on that alone.
    if (request.method !== "GET" && request.method !== "HEAD") return next(request);
    this.failure = undefined;
    try {
      const response = await this.#sendAbortably(request, next);
      this.responses.push(response);
      this.report = this.#parse(request, response) ?? this.report;
      return response;
    } catch (error) {
      // Otherwise the SDK would send the request again, by a schedule of its own.
      const isOurAbort = this.#abortSignal.aborted && !(error instanceof RequestError);
      if (isOurAbort) throw error;
      this.failure = errorOfRequest(error);
      throw this.failure;
    }
  }

  /** The poller itself must not see the signal: many have one `AbortController` for all their polls. */
  async #sendAbortably(request: PipelineRequest, next: SendRequest): Promise<PipelineResponse> {
    const { abortSignal } = request;
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    const unsubscribe = [this.#abortSignal, abortSignal].map((signal) => onAbort(signal, abort));
    request.abortSignal = controller.signal;
    try {
      return await next(request);
    } catch (error) {
      throw abortSignal?.aborted === true && !this.#abortSignal.aborted ? abortedBySdk(error) : error;
    } finally {
      for (const leave of unsubscribe) leave();
      if (abortSignal) request.abortSignal = abortSignal;
      else delete request.abortSignal;
    }
  }
}

/** Makes the error of a poller whose own signal has fired: it would abort every poll from then on. */
export function abortedBySdk(cause: unknown): RequestError {
  const message =
    "the SDK's poller was aborted: the signal of its method fired, or an earlier poll was aborted";
  return new RequestError(message, { kind: "permanent", code: "PollerAborted", cause });
}

/** The parts of Node's `AsyncLocalStorage` that are used. */
interface PollStorage {
  run<T>(poll: ObservedPoll, call: () => T): T;
  getStore(): ObservedPoll | undefined;
}

/** Which poll sends a request: polls of one client run at the same time, and its other requests are none of ours. */
const polls = storageOf();

const policy: PipelinePolicy = {
  name: "lroPollerObservedPoll",
  sendRequest: (request, next) => polls?.getStore()?.send(request, next) ?? next(request),
};

/** The polls under way in each pipeline. */
const pollCounts = new WeakMap<Pipeline, number>();

/** Calls a poller whose requests go through the pipeline. The policy that observes them is in it meanwhile. */
export async function observing<T>(
  pipeline: Pipeline,
  poll: ObservedPoll,
  call: () => Promise<T>,
): Promise<T> {
  // Inside the SDK's retries, which see only what this library lets pass.
  if (changeCount(pipeline, 1) === 1) pipeline.addPolicy(policy, { afterPhase: "Retry" });
  try {
    return await storage().run(poll, call);
  } finally {
    if (changeCount(pipeline, -1) === 0) pipeline.removePolicy({ name: policy.name });
  }
}

function changeCount(pipeline: Pipeline, by: number): number {
  const count = (pollCounts.get(pipeline) ?? 0) + by;
  pollCounts.set(pipeline, count);
  return count;
}

/** @throws Error in a runtime that cannot tell which request belongs to which poll: a browser */
export function storage(): PollStorage {
  if (polls) return polls;
  throw new Error("pipeline: expected a runtime with AsyncLocalStorage (Node, Bun, Deno), got one without");
}

/** Without an import, which would break bundles for browsers. */
function storageOf(): PollStorage | undefined {
  const { process }: { readonly process?: Partial<NodeJS.Process> } = globalThis;
  const hooks = process?.getBuiltinModule?.("node:async_hooks");
  return hooks && new hooks.AsyncLocalStorage<ObservedPoll>();
}
