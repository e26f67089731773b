import type { ClientContext } from "../azure/lro/status-operation.ts";
import { errorOfRequest, errorOfResponse, metadataOf, parseBody } from "../azure/http/response.ts";
import { absoluteUrl, withApiVersion } from "../azure/http/validation.ts";
import type { Clock } from "../clock.ts";
import { ContractError, RequestError } from "../operation/errors.ts";
import type { RateLimit } from "../operation/limiter.ts";
import type { ReadList } from "./parts-reader.ts";
import { parsePage } from "./row.ts";
import type { Page, Row } from "./row.ts";
import { inTurn } from "./turn.ts";

/** A list of 800 operations has fewer pages, empty ones included. */
const maxPages = 100;

/** The maximum time of one page. */
const pageTimeoutInMs = 30_000;

/** Returns the function that reads lists of operations through a client. */
export function listReader({ pipeline, endpoint }: ClientContext, apiVersion: string): ReadList {
  return async (deploymentId, clock, abortSignal) => {
    const first = isPath(deploymentId) ? absoluteUrl(`${deploymentId}/operations`, endpoint) : undefined;
    if (first === undefined) return { type: "missing" };
    const rows: Row[] = [];
    let rateLimit: RateLimit | undefined;
    const read = new Set<string>();
    let url: string | undefined = withApiVersion(first, apiVersion);
    try {
      // A link back to a page that was read would go on for ever.
      while (url !== undefined && !read.has(url) && read.size < maxPages) {
        read.add(url);
        const page: PageResponse = await readPage(url, clock, abortSignal);
        for (const row of page.rows) rows.push(row);
        // An empty page may have a next one.
        url = page.nextLink && new URL(page.nextLink, url).href;
        ({ rateLimit } = page);
      }
      return { type: "rows", rows, rateLimit };
    } catch (thrown) {
      abortSignal.throwIfAborted();
      const error = errorOfRequest(thrown);
      // A later page that is gone is no list that does not exist.
      return error.kind === "notFound" && read.size <= 1 ? { type: "missing" } : { type: "failed", error };
    }
  };

  async function readPage(url: string, clock: Clock, abortSignal: AbortSignal): Promise<PageResponse> {
    const limiter = pipeline.limiterFor(clock, url);
    const timeout = new AbortController();
    const cancel = clock.setTimer(() => timeout.abort(), pageTimeoutInMs);
    const signal = AbortSignal.any([abortSignal, timeout.signal]);
    try {
      return await inTurn(limiter, signal, () => send(url, signal), false);
    } finally {
      cancel();
    }
  }

  async function send(url: string, abortSignal: AbortSignal): Promise<PageResponse> {
    const response = await pipeline.send({ method: "GET", url, abortSignal });
    if (response.status !== 200) throw errorOfResponse(response);
    try {
      return { ...parsePage(parseBody(response)), rateLimit: metadataOf(response).rateLimit };
    } catch (cause) {
      if (!(cause instanceof ContractError)) throw cause;
      throw new RequestError(cause.message, { kind: "transient", code: cause.code, cause });
    }
  }
}

interface PageResponse extends Page {
  readonly rateLimit: RateLimit | undefined;
}

/** Returns whether an id of the service is a path at its own origin. */
function isPath(id: string): boolean {
  return /^\/(?!\/)[^?#\\\s]*$/.test(id) && !/\/(\.|%2e){1,2}(\/|$)/i.test(id);
}
