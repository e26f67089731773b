import { onTestFinished } from "vitest";
import { fixed, systemClock } from "lro-poller";
import type { PollOptions } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { OperationPlan, OperationServer, OperationStyle, Phase } from "lro-poller/testing";
import { fastClock } from "../../support/clock.ts";
import { createCertificate } from "../../support/tls.ts";

const tls = await createCertificate();

/** Options of an SDK's client: it trusts the certificate of the server, and polls without a pause. */
export const clientOptions = { tlsOptions: { ca: tls.cert } };

/** Options of each method of an SDK that starts an operation. */
export const startOptions = { updateIntervalInMs: 1 };

/** Waits without time limits. */
export function withoutLimits(): PollOptions {
  return {
    clock: fastClock(systemClock),
    schedule: fixed(1000),
    requestTimeoutInMs: Infinity,
    outageToleranceInMs: Infinity,
  };
}

/** Starts a server whose operations run for two polls and end so. It closes after the test. */
export async function serve(style: OperationStyle, end: Phase): Promise<OperationServer> {
  const plan: OperationPlan = { retryAfter: null, timeline: [{ status: "Running", polls: 2 }, end] };
  const server = await startOperationServer({ style, tls, onInitialRequest: () => plan });
  onTestFinished(() => server.close());
  return server;
}

/** Returns the responses of the server: the method, the status code, and whether the request was a poll. */
export function responsesOf({ requests }: OperationServer): readonly string[] {
  return requests.map(({ method, responseStatus, pollNumber }) =>
    pollNumber === undefined ? `${method} ${responseStatus}` : `poll ${pollNumber} ${responseStatus}`,
  );
}
