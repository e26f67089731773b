import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { startOperationServer } from "lro-poller/testing";
import type { AddOperationOptions, OperationServer } from "lro-poller/testing";
import type { Certificate } from "../support/tls.ts";
import { armPlan, token } from "./plans.ts";

/** The emulators over TLS, and a control server that adds operations, issues tokens and serves pages. */
export interface RuntimeHost {
  readonly server: OperationServer;
  /** Emulates Azure Resource Manager. */
  readonly arm: OperationServer;
  readonly control: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts the emulators and the control server.
 *
 * @param pages - the folder whose files the control server serves
 */
export async function startHost(certificate: Certificate, pages: string): Promise<RuntimeHost> {
  const requireAuthorization = (received: string | undefined): boolean => received === token;
  const server = await startOperationServer({ tls: certificate, requireAuthorization });
  const arm = await startOperationServer({
    style: "arm",
    tls: certificate,
    requireAuthorization,
    onInitialRequest: () => armPlan,
  });
  const control = createServer((request, response) => {
    void respond(server, pages, request)
      .catch((error: unknown) => ({ status: 500, type: "text/plain", body: String(error) }))
      .then(({ status = 200, type, body }) => send(response, status, type, body));
  });
  control.listen(0, "127.0.0.1");
  await once(control, "listening");
  return {
    server,
    arm,
    control: originOf(control),
    close: async () => {
      control.closeAllConnections();
      control.close();
      await Promise.all([server.close(), arm.close()]);
    },
  };
}

interface ControlResponse {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
}

async function respond(
  server: OperationServer,
  pages: string,
  request: IncomingMessage,
): Promise<ControlResponse> {
  const { pathname } = new URL(request.url ?? "/", "http://control");
  if (pathname === "/add") {
    const options: AddOperationOptions = JSON.parse(await text(request));
    return { type: "text/plain", body: server.addOperation(options).operationLocation };
  }
  if (pathname === "/arrivals") return json(arrivals(server, String(JSON.parse(await text(request)))));
  if (pathname === "/token") return json(managedIdentityToken());
  const type = pathname.endsWith(".html") ? "text/html" : "text/javascript";
  return { type, body: await readFile(join(pages, pathname), "utf8") };
}

/** Returns the arrival times of an operation's polls. Preflight requests do not count. */
function arrivals(server: OperationServer, operationLocation: string): readonly number[] {
  return server.requests
    .filter(({ method, url }) => method === "GET" && url === operationLocation)
    .map(({ receivedAt }) => receivedAt);
}

/** Returns a token in the format of App Service, where DefaultAzureCredential finds it by IDENTITY_ENDPOINT. */
function managedIdentityToken(): object {
  const expiresOn = Math.floor(Date.now() / 1000) + 3600;
  return { access_token: token, expires_on: String(expiresOn), resource: "devcenter", token_type: "Bearer" };
}

function json(value: unknown): ControlResponse {
  return { type: "application/json", body: JSON.stringify(value) };
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8` }).end(body);
}

function originOf(server: Server): string {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The control server has no port.");
  return `http://127.0.0.1:${address.port}`;
}
