import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "../index.ts";
import {
  deploymentBody,
  limitedScope,
  operationRows,
  stateAt,
  statusBody,
  uuidOf,
  validationBody,
  whatIfBody,
} from "./deployments/documents.ts";
import type { RunFacts } from "./deployments/documents.ts";
import { checkAddedDeployment } from "./deployment-checks.ts";
import type {
  AddDeploymentOptions,
  AddedDeployment,
  DeploymentOptions,
  DeploymentRequestKind,
} from "./deployment-options.ts";
import { failureOf, preflightError } from "./deployments/errors.ts";
import { deploymentId, deploymentType, parseDeploymentPath } from "./deployments/ids.ts";
import type { DeploymentPath } from "./deployments/ids.ts";
import { defaultTiming } from "./deployments/plan.ts";
import type { DeploymentPlan, DeploymentTiming } from "./deployments/plan.ts";
import { schedule } from "./deployments/schedule.ts";
import type { ScheduledDeployment, ScheduleRules } from "./deployments/schedule.ts";
import { planOfRequest } from "./deployments/template.ts";
import { TokenBucket } from "./deployments/tokens.ts";
import { isDeliveryFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { withFault } from "./route.ts";
import type { Reply } from "./route.ts";
import { armVersions, invalidApiVersion } from "./styles/api-version.ts";
import { arm } from "./styles/arm.ts";
import { asObject } from "./styles/responses.ts";
import type { WireResponse } from "./styles/responses.ts";

/** A request to the service, wherever it came from. */
interface Received {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly bodyText: string;
}

/** A request for a path below a deployment. */
interface DeploymentCall extends Received {
  readonly path: DeploymentPath;
  readonly now: number;
}

/** One run of a deployment, with those within it. */
interface Run {
  readonly plan: DeploymentPlan;
  readonly path: DeploymentPath;
  readonly facts: RunFacts;
  readonly startsAt: number;
  readonly rules: ScheduleRules;
  readonly cancels: Map<string, number>;
}

/** A deployment, which may be within another, and the run before it at its id. */
interface Served {
  readonly run: Run;
  readonly deployment: ScheduledDeployment;
  readonly earlier?: Served;
}

interface PendingResult {
  readonly dueAt: number;
  readonly response: WireResponse;
}

const sampleScope = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/myGroup";
const defaultApiVersion = "2025-04-01";
const defaultLimits = { reads: { burst: 250, perSecond: 25 }, writes: { burst: 200, perSecond: 10 } };
const deletionInMs = 3000;
/** As many requests of all principals as of one. */
const globalFactor = 15;

/** The deployments of Azure Resource Manager: their state, and the response to each request. Needs no socket. */
export class Deployments {
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #options: DeploymentOptions;
  readonly #timing: DeploymentTiming;
  readonly #served = new Map<string, Served>();
  readonly #waiting = new Map<string, () => void>();
  readonly #results = new Map<string, PendingResult>();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #counts = new Map<string, number>();
  #runCount = 0;

  constructor(options: DeploymentOptions, clock: Clock, speed: number) {
    this.#options = options;
    this.#clock = clock;
    this.#speed = speed;
    this.#timing = { ...defaultTiming, ...options };
  }

  /** @throws TypeError or RangeError that names the part of the plan that is wrong */
  add(origin: string, options: AddDeploymentOptions): AddedDeployment {
    checkAddedDeployment(options);
    const { scope = sampleScope, name = "myDeployment", startsAtFirstPoll = false, ...plan } = options;
    const path = { scope, name, rest: "" };
    const id = deploymentId(scope, name);
    const run = String(++this.#runCount);
    const facts = { correlationId: uuidOf(`${run} ${id}`), mode: "Incremental" };
    // Now, so that a wrong plan throws here.
    const { operationId } = this.#scheduled(plan, path, run, 0);
    const start = (): void => void this.#start(plan, path, facts, run);
    if (startsAtFirstPoll) this.#waiting.set(id.toLowerCase(), start);
    else start();
    return { id, operationLocation: monitorUrl(origin, id, operationId, defaultApiVersion) };
  }

  /** Returns the reply; `undefined` if the request is about no deployment. */
  respondTo(
    request: Received,
    nextFault: (kind: DeploymentRequestKind) => Fault | undefined = () => undefined,
  ): Reply | undefined {
    const path = parseDeploymentPath(decoded(request.url.pathname));
    const result = path ? undefined : this.#results.get(request.url.pathname.toLowerCase());
    if (!path && !result) return undefined;
    const limit = this.takeToken(request);
    if (limit.rejection) return { response: limit.rejection };
    const invalid = invalidApiVersion(armVersions, request.url, arm.errorResponse);
    const now = this.#clock.now();
    const reply = invalid
      ? { response: invalid }
      : path
        ? this.#respond(request, path, nextFault)
        : { response: resultResponse(result, now, request.url) };
    return { ...reply, response: withHeaders(reply.response, limit.headers) };
  }

  /** Takes a token of the request's subscription. */
  takeToken({ method, url }: Pick<Received, "method" | "url">): {
    readonly headers: Readonly<Record<string, string>>;
    readonly rejection?: WireResponse;
  } {
    const scope = limitedScope(url.pathname);
    const isRead = method === "GET" || method === "HEAD";
    const kind = isRead ? "reads" : method === "DELETE" ? "deletes" : "writes";
    const key = `${kind} ${scope}`;
    const now = this.#clock.now();
    const { reads = defaultLimits.reads, writes = defaultLimits.writes } = this.#options.limits ?? {};
    const bucket = this.#buckets.get(key) ?? new TokenBucket(isRead ? reads : writes, now);
    this.#buckets.set(key, bucket);
    const { isThrottled, remaining, secondsToWait } = bucket.take(now);
    const level = scope === "" ? "tenant" : "subscription";
    const headers = {
      [`x-ms-ratelimit-remaining-${level}-${kind}`]: String(remaining),
      [`x-ms-ratelimit-remaining-${level}-global-${kind}`]: String((remaining + 1) * globalFactor - 1),
    };
    if (!isThrottled) return { headers };
    const message = `Number of requests for subscription '${scope}' exceeded the limit. Please try again after '${secondsToWait}' seconds.`;
    const retry = { ...headers, "retry-after": String(secondsToWait) };
    return {
      headers,
      rejection: arm.errorResponse(429, "SubscriptionRequestsThrottled", message, { headers: retry }),
    };
  }

  #respond(
    request: Received,
    path: DeploymentPath,
    nextFault: (kind: DeploymentRequestKind) => Fault | undefined,
  ): Reply {
    const kind = kindOf(request.method, path);
    if (kind === undefined) return { response: notSupported(request) };
    const id = deploymentId(path.scope, path.name);
    this.#waiting.get(id.toLowerCase())?.();
    this.#waiting.delete(id.toLowerCase());
    // After the start, which a deployment must not be older than.
    const call = { ...request, path, now: this.#clock.now() };
    const served = this.#at(id, call.now);
    const number = this.#count(kind, id);
    const elapsedInMs = served ? (call.now - served.deployment.startsAt) * this.#speed : 0;
    const fault = this.#options.faults?.({ kind, id, number, elapsedInMs, url: call.url }) ?? nextFault(kind);
    const context = { headers: call.headers, id, errorResponse: arm.errorResponse };
    const isReplaced = fault !== undefined && !isDeliveryFault(fault) && fault.kind !== "stale";
    const response = isReplaced ? { status: 0, headers: {}, body: "" } : this.#handle(kind, call, served);
    const operationId = this.#at(id, call.now)?.deployment.operationId;
    return withFault(fault, context, {
      response,
      ...(operationId !== undefined && (kind === "status" || kind === "start") && { operationId }),
      ...(kind === "status" && { pollNumber: number }),
    });
  }

  #count(kind: DeploymentRequestKind, id: string): number {
    const key = `${kind} ${id.toLowerCase()}`;
    const number = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, number);
    return number;
  }

  #handle(kind: DeploymentRequestKind, call: DeploymentCall, served: Served | undefined): WireResponse {
    if (kind === "start") return this.#put(call, served);
    if (kind === "validate" || kind === "whatIf") return this.#preview(kind, call);
    if (kind === "exists") return { status: served ? 204 : 404, headers: {}, body: "" };
    if (served === undefined) return kind === "delete" ? nothing : deploymentNotFound(call.path);
    switch (kind) {
      case "status":
        return this.#status(call, served);
      case "deployment":
        return this.#deployment(call, served);
      case "operations":
        return this.#operations(call, served);
      case "cancel":
        return this.#cancel(call, served);
      case "delete":
        return this.#delete(call, served);
      case "exportTemplate":
      case "result":
        return compactJson(200, { template: {} });
    }
  }

  #put(call: DeploymentCall, served: Served | undefined): WireResponse {
    const body = parsed(call.bodyText);
    const rejection = body === undefined ? invalidBody : this.#rejectionOf(call, served, body);
    if (rejection || body === undefined) return rejection ?? invalidBody;
    const run = String(++this.#runCount);
    const facts = factsOf(body, call, run);
    const plan = this.#planOf(call, body);
    const preflight = preflightResponse(plan, call.path);
    if (preflight) return preflight;
    const { deployment } = this.#start(plan, call.path, facts, run);
    const { id, operationId } = deployment;
    const version = call.url.searchParams.get("api-version") ?? defaultApiVersion;
    const headers = { "azure-asyncoperation": monitorUrl(call.url.origin, id, operationId, version) };
    const shown = deploymentBody(deployment, facts, call.now, this.#epoch());
    return compactJson(served ? 200 : 201, shown, headers);
  }

  #rejectionOf(call: DeploymentCall, served: Served | undefined, body: object): WireResponse | undefined {
    const { scope, name } = call.path;
    if (!/^[-\w._()]{1,64}$/.test(name)) {
      const message = `The deployment name '${name}' is invalid.`;
      return arm.errorResponse(400, "InvalidDeploymentName", message);
    }
    if (!/\/resourceGroups\//i.test(scope) && !("location" in body)) {
      const message = `The 'location' property must be specified for '${name}'. Please see https://aka.ms/deploy-to-subscription for usage details.`;
      return arm.errorResponse(400, "LocationRequired", message);
    }
    const state = served && stateAt(served.deployment, call.now);
    if (state !== "Accepted" && state !== "Running") return undefined;
    return arm.errorResponse(409, "DeploymentActive", activeMessage(deploymentId(scope, name), state));
  }

  #planOf({ path: { scope, name } }: DeploymentCall, body: object): DeploymentPlan {
    const id = deploymentId(scope, name);
    return this.#options.plan?.({ id, scope, name, body }) ?? planOfRequest(body, scope);
  }

  #scheduled(
    plan: DeploymentPlan,
    { scope, name }: DeploymentPath,
    run: string,
    startsAt: number,
  ): ScheduledDeployment {
    return schedule(plan, { scope, name, startsAt }, this.#rules(run));
  }

  #rules(run: string): ScheduleRules {
    const now = this.#clock.now();
    const active = Array.from(this.#served).filter(([, { deployment }]) => deployment.endsAt > now);
    return {
      timing: this.#timing,
      durationOf: this.#options.durationOf ?? (() => 5000),
      speed: this.#speed,
      run,
      cancels: new Map(),
      activeUntil: new Map(active.map(([id, { deployment }]) => [id, deployment.endsAt])),
    };
  }

  #start(plan: DeploymentPlan, path: DeploymentPath, facts: RunFacts, run: string): Served {
    const startsAt = this.#clock.now();
    const cancels = new Map<string, number>();
    const rules = { ...this.#rules(run), cancels };
    return this.#serve({ plan, path, facts, startsAt, rules, cancels });
  }

  #serve(run: Run): Served {
    const { plan, path, startsAt, rules } = run;
    const deployment = schedule(plan, { ...path, startsAt }, rules);
    for (const within of allWithin(deployment)) {
      const key = within.id.toLowerCase();
      const before = this.#served.get(key);
      const earlier = before?.run.rules.run === rules.run ? before.earlier : before;
      this.#served.set(key, { run, deployment: within, ...(earlier && { earlier }) });
    }
    return { run, deployment };
  }

  /** Returns the deployment that has this id now: the latest that has started. */
  #at(id: string, now: number): Served | undefined {
    let served = this.#served.get(id.toLowerCase());
    while (served && served.deployment.startsAt > now) served = served.earlier;
    return served;
  }

  /** The date of the clock's zero. */
  #epoch(): number {
    return this.#clock.timestamp() - this.#clock.now();
  }

  #status({ now, path }: DeploymentCall, served: Served): WireResponse {
    const id = path.rest.slice(path.rest.lastIndexOf("/") + 1);
    for (let run: Served | undefined = served; run; run = run.earlier)
      if (run.deployment.operationId === id) return compactJson(200, statusBody(run.deployment, now));
    return arm.errorResponse(404, "DeploymentOperationNotFound", `The operation '${id}' could not be found.`);
  }

  #deployment({ now }: DeploymentCall, { deployment, run }: Served): WireResponse {
    const { retryAfter } = this.#options;
    const isOver = now >= deployment.endsAt;
    const headers = retryAfter === undefined || isOver ? {} : { "retry-after": String(retryAfter) };
    return compactJson(200, deploymentBody(deployment, run.facts, now, this.#epoch()), headers);
  }

  #operations({ now, path, url }: DeploymentCall, served: Served): WireResponse {
    const rows = this.#rowsOf(served, now, url.searchParams.get("api-version") ?? "");
    const [, wanted] = path.rest.split("/");
    if (wanted !== undefined) return oneOperation(rows, wanted);
    const { pageSize = Infinity, emptyPages = 0 } = this.#options;
    const size = Math.min(pageSize, Number(url.searchParams.get("$top") ?? Infinity) || Infinity);
    const [page = 0, offset = 0] = (url.searchParams.get("$skiptoken") ?? "").split("-").map(Number);
    const isEmpty = page < emptyPages;
    const shown = isEmpty ? [] : rows.slice(offset, offset + size);
    const next = offset + shown.length;
    const hasNext = isEmpty || next < rows.length;
    const link = hasNext ? `,"nextLink":${JSON.stringify(nextUrl(url, `${page + 1}-${next}`))}` : "";
    return { status: 200, headers: jsonHeaders, body: `{"value":[${shown.join(",")}]${link}}` };
  }

  #rowsOf({ deployment, earlier }: Served, now: number, apiVersion: string): readonly string[] {
    const { variesCase = false, keepsEarlierOperations = false } = this.#options;
    const rules = { timing: this.#timing, speed: this.#speed, epoch: this.#epoch(), apiVersion, variesCase };
    const rows = operationRows(deployment, now, rules);
    if (!keepsEarlierOperations || !earlier) return rows;
    return [...rows, ...this.#rowsOf(earlier, now, apiVersion)];
  }

  #cancel({ now }: DeploymentCall, { deployment, run }: Served): WireResponse {
    const { id } = deployment;
    const state = stateAt(deployment, now);
    if (state !== "Accepted" && state !== "Running") {
      const message = `The deployment '${id}' cannot be cancelled because its provisioning state is '${state}'.`;
      return arm.errorResponse(409, "DeploymentCannotBeCancelled", message);
    }
    if (!run.cancels.has(id.toLowerCase())) run.cancels.set(id.toLowerCase(), now);
    this.#serve(run);
    return nothing;
  }

  #preview(kind: "validate" | "whatIf", call: DeploymentCall): WireResponse {
    const body = parsed(call.bodyText);
    if (body === undefined) return invalidBody;
    const plan = this.#planOf(call, body);
    const preflight = preflightResponse(plan, call.path);
    if (preflight) return preflight;
    const run = randomUUID();
    const deployment = this.#scheduled(plan, call.path, run, call.now);
    const facts = factsOf(body, call, run);
    const isValidation = kind === "validate";
    const shown = isValidation
      ? validationBody(deployment, facts, this.#clock.timestamp())
      : whatIfBody(deployment, facts);
    const { validationInMs = 0, whatIfInMs = 2000 } = this.#options;
    const takesInMs = isValidation ? validationInMs : whatIfInMs;
    const response = compactJson(200, shown);
    if (isValidation && takesInMs === 0) return response;
    return this.#accepted(call, takesInMs, response);
  }

  #delete(call: DeploymentCall, { deployment: { id, endsAt } }: Served): WireResponse {
    if (endsAt > call.now) {
      const message = `The deployment '${id}' cannot be deleted, because it is active.`;
      return arm.errorResponse(409, "DeploymentActive", message);
    }
    this.#served.delete(id.toLowerCase());
    return this.#accepted(call, deletionInMs, nothing);
  }

  /** Returns a 202 whose `Location` has the response later. */
  #accepted({ path, now, url }: DeploymentCall, takesInMs: number, response: WireResponse): WireResponse {
    const at = `${limitedScope(path.scope)}/operationresults/${randomUUID()}`;
    this.#results.set(at, { dueAt: now + takesInMs / this.#speed, response });
    return { status: 202, headers: { location: resultUrl(url, at) }, body: "" };
  }
}

const jsonHeaders = { "content-type": "application/json; charset=utf-8" };

/** As Azure Resource Manager writes it: without indentation. */
function compactJson(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): WireResponse {
  return { status, headers: { ...jsonHeaders, ...headers }, body: JSON.stringify(body) };
}

const nothing: WireResponse = { status: 204, headers: {}, body: "" };
const invalidBody = arm.errorResponse(400, "InvalidRequestContent", "The request content was invalid.");

function parsed(text: string): object | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? body : undefined;
  } catch {
    return undefined;
  }
}

/** A path that is not encoded correctly names nothing. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function withHeaders(response: WireResponse, headers: Readonly<Record<string, string>>): WireResponse {
  return { ...response, headers: { ...headers, ...response.headers } };
}

function kindOf(method: string, { rest }: DeploymentPath): DeploymentRequestKind | undefined {
  const [word = ""] = rest.toLowerCase().split("/");
  const kinds: Readonly<Record<string, DeploymentRequestKind>> = {
    "PUT ": "start",
    "GET ": "deployment",
    "HEAD ": "exists",
    "DELETE ": "delete",
    "GET operations": "operations",
    "GET operationstatuses": "status",
    "POST cancel": "cancel",
    "POST validate": "validate",
    "POST whatif": "whatIf",
    "POST exporttemplate": "exportTemplate",
  };
  return kinds[`${method} ${word}`];
}

function notSupported({ method, url }: Received): WireResponse {
  return arm.errorResponse(404, "NotFound", `There is no ${method} ${url.pathname}.`);
}

/** The response of a region that does not have the deployment yet. */
function deploymentNotFound({ name }: DeploymentPath): WireResponse {
  const headers = { "x-ms-failure-cause": "gateway" };
  return arm.errorResponse(404, "DeploymentNotFound", `Deployment '${name}' could not be found.`, {
    headers,
  });
}

function activeMessage(id: string, state: string): string {
  return `The deployment with resource id '${id}' cannot be saved, because this would overwrite an existing deployment which is still active. The current state of the deployment is '${state}'. Please see https://aka.ms/arm-deploy for usage details.`;
}

function factsOf(body: object, { path, url }: DeploymentCall, run: string): RunFacts {
  const { location, tags, properties }: { location?: unknown; tags?: unknown; properties?: unknown } = body;
  const { mode, parameters, debugSetting } = {
    mode: "Incremental",
    parameters: undefined,
    debugSetting: undefined,
    ...asObject(properties),
  };
  return {
    correlationId: uuidOf(`${run} ${path.name} ${url.pathname}`),
    mode: modeOf(mode),
    ...(typeof location === "string" && { location }),
    ...(tags !== undefined && { tags }),
    ...(parameters !== undefined && { parameters }),
    ...(debugSetting !== undefined && { debugSetting }),
  };
}

function modeOf(mode: unknown): string {
  return typeof mode === "string" ? mode : "Incremental";
}

function preflightResponse(
  { preflightFailure }: DeploymentPlan,
  { scope, name }: DeploymentPath,
): WireResponse | undefined {
  if (preflightFailure === undefined) return undefined;
  const id = deploymentId(scope, name);
  const { error } = failureOf(preflightFailure, { id, type: deploymentType, name });
  return compactJson(400, { error: preflightError(id, [error]) });
}

function allWithin(deployment: ScheduledDeployment): readonly ScheduledDeployment[] {
  return [deployment, ...deployment.parts.flatMap(({ child }) => (child ? allWithin(child) : []))];
}

/** Returns the URL of a status monitor, which is long and signed. */
function monitorUrl(origin: string, id: string, operationId: string, apiVersion: string): string {
  const path = id.split("/").map(encodeURIComponent).join("/");
  const certificate = "MIIHhzCCBm-gAwIBAgITHgd".repeat(112);
  const signature = Buffer.from(operationId.repeat(13)).toString("base64url").slice(0, 342);
  const query = `t=639155874283749129&c=${certificate}&s=${signature}&h=${operationId}pVxTq8`;
  return `${origin}${path}/operationStatuses/${operationId}?api-version=${apiVersion}&${query}`;
}

function resultUrl({ origin, searchParams }: URL, at: string): string {
  return `${origin}${at}?api-version=${searchParams.get("api-version") ?? defaultApiVersion}`;
}

function resultResponse(result: PendingResult | undefined, now: number, url: URL): WireResponse {
  if (result === undefined) return arm.errorResponse(404, "NotFound", `There is no ${url.pathname}.`);
  if (now >= result.dueAt) return result.response;
  return { status: 202, headers: { location: url.href }, body: "" };
}

function nextUrl(url: URL, skipToken: string): string {
  const next = new URL(url);
  next.searchParams.set("$skiptoken", skipToken);
  return next.href;
}

function oneOperation(rows: readonly string[], operationId: string): WireResponse {
  const row = rows.find((text) => text.includes(`"operationId":"${operationId}"`));
  if (row !== undefined) return { status: 200, headers: jsonHeaders, body: row };
  const message = `Deployment operation '${operationId}' could not be found.`;
  return arm.errorResponse(404, "DeploymentOperationNotFound", message);
}
