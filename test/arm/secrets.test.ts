import { createHttpHeaders } from "@azure/core-rest-pipeline";
import { inspect } from "node:util";
import { LroClient } from "lro-poller";
import { startDeployment } from "lro-poller/arm";
import { createVirtualClock } from "lro-poller/testing";
import { expect, test } from "vitest";
import { group, resourceId, root } from "./support.ts";

const monitor = `https://management.azure.com${root}/operationStatuses/1?api-version=1&t=1&c=secret&s=secret&h=secret`;
const row = {
  operationId: "one",
  properties: {
    provisioningOperation: "Create",
    provisioningState: "Failed",
    targetResource: { id: resourceId("one") },
    statusMessage: { error: { code: "Conflict", message: "It exists." } },
    request: { content: { password: "secret" } },
    response: { content: { key: "secret" } },
  },
};

test.each([
  ["a failure", 200, { status: "Failed", error: { code: "DeploymentFailed", message: "See the parts." } }],
  ["a poll that is forbidden", 403, { error: { code: "AuthorizationFailed", message: "No." } }],
  ["an outage", 503, {}],
  ["a body that is no status", 200, { status: 7 }],
])(
  "%s shows neither the signature of the status monitor nor the content of a row",
  async (_, status, body) => {
    const clock = createVirtualClock();
    const replies: readonly (readonly [text: string, status: number, body: object])[] = [
      ["/operations?", 200, { value: [row] }],
      ["/cancel?", 409, { error: { code: "Conflict", message: "It is over." } }],
      ["/operationStatuses/", status, body],
      ["", 201, { properties: { provisioningState: "Accepted", parameters: { key: { value: "secret" } } } }],
    ];
    const client = new LroClient("https://management.azure.com", undefined, {
      httpClient: {
        async sendRequest(request) {
          const [, code = 500, reply] = replies.find(([text]) => request.url.includes(text)) ?? [];
          const headers = createHttpHeaders(code === 201 ? { "azure-asyncoperation": monitor } : {});
          return { request, status: code, headers, bodyAsText: JSON.stringify(reply) };
        },
      },
    });
    const parameters = { key: { value: "secret" } };
    const shown: unknown[] = [];
    const poller = startDeployment(
      client,
      { scope: group, name: "d1", template: {}, parameters },
      { clock, onProgress: (progress) => shown.push(progress), onFailedPoll: (poll) => shown.push(poll) },
    );
    const calls = [poller.pollUntilDone(), poller.cancelOperation()];
    shown.push(...(await clock.runUntilSettled(Promise.allSettled(calls))), poller);
    expect(shown.length).toBeGreaterThan(3);
    const text = inspect(shown, { depth: Infinity, showHidden: false, maxStringLength: Infinity });
    expect(text).toContain("d1");
    expect(text).not.toContain("secret");
  },
);
