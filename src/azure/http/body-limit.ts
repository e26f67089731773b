import { onAbort } from "../../abort.ts";
import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { RequestError } from "../../operation/errors.ts";
import { errorOfRequest, errorOfResponse, locationHeaders, metadataOf } from "./response.ts";
import { createRedactingHttpClient } from "./redaction.ts";

/** Statuses have a thousand bytes, resources tens of thousands. */
const maxBodyInMiB = 32;

/** The way in which core-rest-pipeline spells "any". */
const anyStatusCode: Set<number> = new Set([Infinity]);

/**
 * Limits response bodies to 32 MiB unpacked: a proxy's packed page of gigabytes must not fill the memory. The headers
 * of a response count even where its body breaks off.
 *
 * The sender closes the connection by the signal of a request that fails. A packed body's stream is the decoder's, and
 * to destroy it leaves the connection open. The decoder has to heed the signal too: it knows no connection, and would
 * unpack what has come.
 */
export function withBodyLimit(client: HttpClient = createRedactingHttpClient()): HttpClient {
  return { sendRequest: (request) => sendBounded(client, request) };
}

async function sendBounded(client: HttpClient, request: PipelineRequest): Promise<PipelineResponse> {
  request.streamResponseStatusCodes = anyStatusCode;
  request.enableBrowserStreams = true;
  const response = await client.sendRequest(request);
  const { status, headers, bodyAsText } = response;
  const head = { status, headers, request };
  if (typeof bodyAsText === "string") return { ...head, bodyAsText };
  try {
    return { ...head, bodyAsText: await textOf(response, request.abortSignal) };
  } catch (cause) {
    if (request.abortSignal?.aborted) throw cause;
    const isStart = request.method !== "GET" && locationHeaders.some((name) => headers.has(name));
    if (status !== 202 && status < 300 && !isStart) throw incompleteBody(head, cause);
    // The status code says all that counts.
    const withoutBody = { ...head, bodyAsText: "" };
    if (cause instanceof BodyTooLongError && status >= 300) throw errorOfResponse(withoutBody, cause);
    return withoutBody;
  }
}

function incompleteBody(head: PipelineResponse, cause: unknown): RequestError {
  const { message, code } = errorOfRequest(cause);
  return new RequestError(`HTTP ${head.status}, but its body was not received in full: ${message}`, {
    ...metadataOf(head),
    kind: "transient",
    code,
    cause,
  });
}

async function textOf(
  { readableStreamBody, browserStreamBody }: PipelineResponse,
  abortSignal: PipelineRequest["abortSignal"],
): Promise<string> {
  if (readableStreamBody) return textOfNode(readableStreamBody, abortSignal);
  return browserStreamBody ? textOfBrowser(browserStreamBody) : "";
}

/** Uses events: with an async iterator a poll costs a tenth more. */
function textOfNode(
  stream: NodeJS.ReadableStream,
  abortSignal: PipelineRequest["abortSignal"],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const text = new BoundedText();
    let hasEnded = false;
    // After the HTTP client's own listener, which closes the connection.
    const unsubscribe = onAbort(abortSignal, () => {
      reject(new Error("aborted"));
      if ("destroy" in stream && typeof stream.destroy === "function") stream.destroy();
    });
    stream
      .on("data", (chunk: Uint8Array) => {
        if (!text.add(chunk)) reject(new BodyTooLongError());
      })
      .on("end", () => {
        hasEnded = true;
        resolve(text.whole());
      })
      .on("error", reject)
      // Comes after the end too: an error for each response, its stack included, would cost more than the parse.
      .on("close", () => {
        unsubscribe();
        if (!hasEnded) reject(new Error("the connection was closed"));
      });
  });
}

async function textOfBrowser(stream: ReadableStream<Uint8Array>): Promise<string> {
  const text = new BoundedText();
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (!text.add(part.value)) throw new BodyTooLongError();
  }
  return text.whole();
}

const utf8 = new TextDecoder();

class BoundedText {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** Returns whether there was room for the chunk. */
  add(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > maxBodyInMiB * 2 ** 20) return false;
    this.#chunks.push(chunk);
    return true;
  }

  whole(): string {
    const [only = new Uint8Array(), ...others] = this.#chunks;
    if (others.length === 0) return utf8.decode(only);
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
  }
}

class BodyTooLongError extends RangeError {
  readonly code = "BodyTooLong";

  constructor() {
    super(`longer than ${maxBodyInMiB} MiB`);
  }
}
