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

async function withText(
  { status, headers, request, bodyAsText, ...body }: PipelineResponse,
  connection: AbortController,
): Promise<PipelineResponse> {
  const stream = body.readableStreamBody ?? (body.browserStreamBody && chunksOf(body.browserStreamBody));
  const head = { status, headers, request };
  if (stream === undefined) return { ...head, bodyAsText: bodyAsText ?? "" };
  try {
    return { ...head, bodyAsText: await Promise.race([textOf(stream), rejectionBy(connection.signal)]) };
  } catch (cause) {
    if (connection.signal.aborted) throw cause;
    connection.abort();
    // Here the code and the headers say all that counts.
    if (status === 202 || status >= 300) return { ...head, bodyAsText: "" };
    const { message, code } = errorOfRequest(cause);
    const facts = factsOf(head);
    throw new ReadError(`HTTP ${status}, whose body was not read to its end: ${message}`, {
      ...facts,
      kind: "transient",
      code,
      cause,
    });
  }
}

/** Not every browser's streams can be iterated. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}

/** @throws RangeError when it is too long; whatever breaks the stream */
async function textOf(chunks: AsyncIterable<Uint8Array | string>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > longestBodyInMiB * 2 ** 20) throw tooLong();
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function tooLong(): RangeError {
  const error = new RangeError(`longer than ${longestBodyInMiB} MiB`);
  return Object.assign(error, { code: "BodyTooLong" });
}

/** Rejects when a signal fires, by its reason. */
export function rejectionBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
