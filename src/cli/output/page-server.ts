import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { UsageError } from "../input/context.ts";

/** A page on the loopback address, under a path that cannot be guessed. */
interface PageServer {
  /** `http://127.0.0.1:49152/6fXk…/` */
  readonly url: string;
  close(): void;
}

const address = "127.0.0.1";
/** How long pages may take to receive the last events. */
const closeTimeoutInMs = 1000;

/**
 * Serves the live page and its stream of events.
 *
 * @param onViewer - receives the response of each opened page, to write events to
 * @throws UsageError if the server cannot listen
 */
export async function startPageServer(onViewer: (response: ServerResponse) => void): Promise<PageServer> {
  const html = readFileSync(new URL("page.html", import.meta.url), "utf8");
  const path = `/${randomBytes(16).toString("base64url")}/`;
  const server = createServer();
  const port = await listen(server);
  // DNS rebinding: another site can resolve its own name to this address, but its requests have that name as `host`.
  const hosts = [`${address}:${port}`, `localhost:${port}`];
  server.on("request", (request, response) => {
    const rejection = rejectionOf(request, hosts, path);
    if (rejection !== undefined) return void response.writeHead(rejection, { connection: "close" }).end();
    if (request.url === path) return void response.writeHead(200, headersOf(html)).end(html);
    onViewer(response.writeHead(200, streamHeaders));
  });
  return { url: `http://${address}:${port}${path}`, close: () => close(server) };
}

/** Starts to listen, without keeping the process alive, and returns the port. */
async function listen(server: Server): Promise<number> {
  server.listen(0, address).unref();
  try {
    await once(server, "listening");
  } catch (error) {
    throw new UsageError(`--web: cannot listen on ${address}: ${String(error)}`, { cause: error });
  }
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}

function rejectionOf(
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

/** Lets the page load nothing from elsewhere and run only its own script, because service text could be HTML. */
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
  // A page that does not receive must not keep the process alive.
  setTimeout(() => server.closeAllConnections(), closeTimeoutInMs).unref();
}
