import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { UsageError } from "../input/context.ts";

/** A page of this machine that only those find who know its address. */
export interface PageServer {
  /** `http://127.0.0.1:49152/6fXk…/` */
  readonly url: string;
  close(): void;
}

const address = "127.0.0.1";
/** How long pages may take to read what was sent last. */
const farewellInMs = 1000;

/**
 * Serves the page, and its stream of events.
 *
 * @param onViewer - gets the response of each page that is opened, to write events to
 * @throws UsageError when this machine does not let it listen
 */
export async function startPageServer(onViewer: (response: ServerResponse) => void): Promise<PageServer> {
  const html = readFileSync(new URL("page.html", import.meta.url), "utf8");
  const path = `/${randomBytes(16).toString("base64url")}/`;
  const server = createServer();
  const port = await portOf(server);
  // What another site's page asks for under a name of its own, which leads here, has that name as its host.
  const hosts = [`${address}:${port}`, `localhost:${port}`];
  server.on("request", (request, response) => {
    const refusal = refusalOf(request, hosts, path);
    if (refusal !== undefined) return void response.writeHead(refusal, { connection: "close" }).end();
    if (request.url === path) return void response.writeHead(200, headersOf(html)).end(html);
    onViewer(response.writeHead(200, streamHeaders));
  });
  return { url: `http://${address}:${port}${path}`, close: () => close(server) };
}

/** Lets it listen. The process does not stay alive for it. */
async function portOf(server: Server): Promise<number> {
  server.listen(0, address).unref();
  try {
    await once(server, "listening");
  } catch (error) {
    throw new UsageError(`--web: cannot listen on ${address}: ${String(error)}`, { cause: error });
  }
  return portIn(server.address());
}

function portIn(bound: AddressInfo | string | null): number {
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}

function refusalOf(
  { method, headers, url }: IncomingMessage,
  hosts: readonly string[],
  path: string,
): number | undefined {
  if (!hosts.includes(headers.host ?? "")) return 403;
  if (url !== path && url !== `${path}events`) return 404;
  return method === "GET" ? undefined : 405;
}

const commonHeaders = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const streamHeaders = { ...commonHeaders, "content-type": "text/event-stream", connection: "close" };

/** Nothing is loaded from elsewhere and nothing runs but the page's own script: a service's text could be HTML. */
function headersOf(html: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "connect-src 'self'",
    "img-src data:",
    `script-src ${hashOf("script", html)}`,
    `style-src ${hashOf("style", html)}`,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    ...commonHeaders,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy.join("; "),
  };
}

function hashOf(element: string, html: string): string {
  const [, content = ""] = new RegExp(`<${element}>(.*)</${element}>`, "s").exec(html) ?? [];
  return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
}

function close(server: Server): void {
  server.close();
  server.closeIdleConnections();
  // A page that does not read must not keep the process alive.
  setTimeout(() => server.closeAllConnections(), farewellInMs).unref();
}
