import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { ReadError } from "../errors.ts";
import { errorOfRequest, factsOf } from "./answer.ts";
import { createDiscreetHttpClient } from "./http-client.ts";

/** Statuses have a thousand bytes, resources tens of thousands. */
const longestBodyInMiB = 32;

/** As core-rest-pipeline says "any". */
const everyStatusCode = new Set([Infinity]);

/**
 * Reads bodies itself, up to 32 MiB once they are unpacked: a proxy's packed page of gigabytes must not fill the
 * memory. And what the headers of an answer said counts though its body breaks.
 */
export function bounded(client: HttpClient = createDiscreetHttpClient()): HttpClient {
  return { sendRequest: (request) => sendBounded(client, request) };
}

async function sendBounded(client: HttpClient, request: PipelineRequest): Promise<PipelineResponse> {
  // Of a packed body the stream is the decoder's: to destroy it leaves the connection open.
  const connection = new AbortController();
  const breakOff = (): void => connection.abort();
  const { abortSignal } = request;
  if (abortSignal?.aborted) breakOff();
  abortSignal?.addEventListener("abort", breakOff);
  try {
    const response = await client.sendRequest({
      ...request,
      abortSignal: connection.signal,
      streamResponseStatusCodes: everyStatusCode,
      enableBrowserStreams: true,
    });
    return await withText(response, connection);
  } catch (error) {
    breakOff();
    throw error;
  } finally {
    abortSignal?.removeEventListener("abort", breakOff);
  }
}

async function withText(response: PipelineResponse, connection: AbortController): Promise<PipelineResponse> {
  const { status, headers, request } = response;
  const head = { status, headers, request };
  try {
    return { ...head, bodyAsText: await textOf(response, connection.signal) };
  } catch (cause) {
    if (connection.signal.aborted) throw cause;
    const isSaidByHead = status === 202 || status >= 300;
    if (!isSaidByHead) throw brokenBody(head, cause);
    connection.abort();
    return { ...head, bodyAsText: "" };
  }
}

function brokenBody(head: PipelineResponse, cause: unknown): ReadError {
  const { message, code } = errorOfRequest(cause);
  const facts = factsOf(head);
  return new ReadError(`HTTP ${head.status}, whose body was not read to its end: ${message}`, {
    ...facts,
    kind: "transient",
    code,
    cause,
  });
}

async function textOf(
  { bodyAsText, readableStreamBody, browserStreamBody }: PipelineResponse,
  abortSignal: AbortSignal,
): Promise<string> {
  if (readableStreamBody) return textOfNode(readableStreamBody, abortSignal);
  return browserStreamBody ? textOfBrowser(browserStreamBody) : (bodyAsText ?? "");
}

/** By events: to iterate makes a read cost a tenth more. Ends with the signal though the stream may not. */
function textOfNode(stream: NodeJS.ReadableStream, abortSignal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const text = new BoundedText();
    abortSignal.addEventListener("abort", () => reject(abortSignal.reason));
    stream
      .on("data", (chunk: Uint8Array) => {
        if (!text.add(chunk)) reject(tooLong());
      })
      .on("end", () => resolve(text.whole()))
      .on("error", reject)
      .on("close", () => reject(new Error("the connection was closed")));
  });
}

async function textOfBrowser(stream: ReadableStream<Uint8Array>): Promise<string> {
  const text = new BoundedText();
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (!text.add(part.value)) throw tooLong();
  }
  return text.whole();
}

const utf8 = new TextDecoder();

class BoundedText {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** Returns whether there was room for it. */
  add(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > longestBodyInMiB * 2 ** 20) return false;
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

function tooLong(): RangeError {
  const error = new RangeError(`longer than ${longestBodyInMiB} MiB`);
  return Object.assign(error, { code: "BodyTooLong" });
}
