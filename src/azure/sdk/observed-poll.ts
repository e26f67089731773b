import type {
  Pipeline,
  PipelinePolicy,
  PipelineRequest,
  PipelineResponse,
  SendRequest,
} from "@azure/core-rest-pipeline";
import { onAbort, unlessAborted } from "../../abort.ts";
import { RequestError } from "../../operation/errors.ts";
import { errorOfRequest } from "../http/response.ts";
import type { StatusReport } from "../lro/protocol.ts";

/** The operation that a poll is about, as far as its requests and responses tell. */
interface PollSubject {
  /** Whether the SDK's poller sends the request to this URL. Its listeners may send others meanwhile. */
  owns(url: string): boolean;
  /** @throws {@link RequestError} if the response says nothing of the operation */
  parse(url: string, response: PipelineResponse, method: string): StatusReport | undefined;
}

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
  /** Whether the SDK's poller has sent a request. */
  hasSent = false;
  /** Its async context outlives it: what a listener sends later is none of it. */
  isOver = false;
  readonly #abortSignal: AbortSignal;
  readonly #subject: PollSubject;

  constructor(abortSignal: AbortSignal, subject: PollSubject) {
    this.#abortSignal = abortSignal;
    this.#subject = subject;
  }

  /** The last response. */
  get response(): PipelineResponse | undefined {
    return this.responses.at(-1);
  }

  /** Whether the request is one of this poll. Another method may start an operation: the SDK decides on that alone. */
  owns({ method, url }: PipelineRequest): boolean {
    return !this.isOver && (method === "GET" || method === "HEAD") && this.#subject.owns(url);
  }

  async send(request: PipelineRequest, url: string, next: SendRequest): Promise<PipelineResponse> {
    this.failure = undefined;
    this.hasSent = true;
    try {
      const response = await this.#sendAbortably(request, next);
      this.responses.push(response);
      this.report = this.#subject.parse(url, response, request.method) ?? this.report;
      return response;
    } catch (error) {
      if (this.#abortSignal.aborted) throw error;
      // Otherwise the SDK would send the request again, by a schedule of its own.
      this.failure = errorOfRequest(error);
      throw this.failure;
    }
  }

  /** The poller itself must not see the signal: many have one `AbortController` for all their polls. */
  async #sendAbortably(request: PipelineRequest, next: SendRequest): Promise<PipelineResponse> {
    const { abortSignal } = request;
    const controller = new AbortController();
    const abort = (): void => controller.abort(new DOMException("The poll was aborted.", "AbortError"));
    const unsubscribe = [this.#abortSignal, abortSignal].map((signal) => onAbort(signal, abort));
    request.abortSignal = controller.signal;
    try {
      // A transport may ignore the signal, and many pollers send no poll while one has no response.
      return await unlessAborted(next(request), controller.signal);
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

/** The poll that sends a request: polls of one client run at the same time, beside its other requests. */
const polls = /* @__PURE__ */ storageOf();

/** The requests of polls, with the URL that the SDK's poller has asked for: policies rewrite it, and redirects. */
const requestsOfPolls = new WeakMap<PipelineRequest, { readonly poll: ObservedPoll; readonly url: string }>();

// Another copy of this library may have policies in the same pipeline.
const copyId = /* @__PURE__ */ crypto.randomUUID();

const markingPolicy: PipelinePolicy = {
  name: `lroPollerMark-${copyId}`,
  sendRequest(request, next) {
    const poll = polls?.getStore();
    if (poll?.owns(request)) requestsOfPolls.set(request, { poll, url: request.url });
    return next(request);
  },
};

const observingPolicy: PipelinePolicy = {
  name: `lroPollerObserve-${copyId}`,
  sendRequest(request, next) {
    const marked = requestsOfPolls.get(request);
    return marked ? marked.poll.send(request, marked.url, next) : next(request);
  },
};

/** The polls under way in each pipeline. */
const pollCounts = new WeakMap<Pipeline, number>();

/** Calls a poller whose requests go through the pipeline. The policies that observe them are in it meanwhile. */
export async function observing<T>(
  pipeline: Pipeline,
  poll: ObservedPoll,
  call: () => Promise<T>,
): Promise<T> {
  if (changeCount(pipeline, 1) === 1) addPolicies(pipeline);
  try {
    return await storage().run(poll, call);
  } finally {
    poll.isOver = true;
    if (changeCount(pipeline, -1) === 0) {
      pipeline.removePolicy({ name: markingPolicy.name });
      pipeline.removePolicy({ name: observingPolicy.name });
    }
  }
}

function addPolicies(pipeline: Pipeline): void {
  const policies = pipeline.getOrderedPolicies();
  // A clone has those that were there when it was made.
  if (policies.includes(markingPolicy)) return;
  const beforePolicies = policies.map(({ name }) => name);
  pipeline.addPolicy(markingPolicy, { phase: "Serialize", beforePolicies });
  // Inside the SDK's retries, which see only what this library lets pass.
  pipeline.addPolicy(observingPolicy, { afterPhase: "Retry" });
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
