import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { createCertificate } from "../../test/support/tls.ts";

/** A service on this machine, whose operation ends with its first poll. */
interface Service {
  /** The status monitor of an operation that has succeeded. */
  readonly url: string;
  close(): void;
}

/** A service that requires a token, and the environment in which a program gets one and trusts the service. */
interface SecureService extends Service {
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a service with plain HTTP, to which no token is sent. */
export async function startService(): Promise<Service> {
  const server = createServer(succeed);
  const port = await portOf(server);
  return { url: `http://127.0.0.1:${port}${path}`, close: () => void server.close() };
}

/** Starts a service with TLS, and the endpoint of a managed identity beside it. Its certificate goes to the folder. */
export async function startSecureService(folder: string): Promise<SecureService> {
  const { key, cert } = await createCertificate();
  const certificate = join(folder, "certificate.pem");
  writeFileSync(certificate, cert);
  const server = createTlsServer({ key, cert }, (request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) response.writeHead(401);
    succeed(request, response);
  });
  const identity = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    const expiresOn = Math.floor(Date.now() / 1000) + 86_400;
    response.end(JSON.stringify({ access_token: token, expires_on: expiresOn, token_type: "Bearer" }));
  });
  const [port, identityPort] = [await portOf(server), await portOf(identity)];
  return {
    url: `https://127.0.0.1:${port}${path}`,
    env: {
      NODE_EXTRA_CA_CERTS: certificate,
      IDENTITY_ENDPOINT: `http://127.0.0.1:${identityPort}/msi/token`,
      IDENTITY_HEADER: "secret",
    },
    close: () => {
      server.close();
      identity.close();
    },
  };
}

const path = "/operations/1";
const token = "token";

const succeed: RequestListener = (_request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ status: response.statusCode === 200 ? "Succeeded" : "Unauthorized" }));
};

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return address.port;
}
