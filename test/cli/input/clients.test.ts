import { OperationStatusesClient } from "lro-poller";
import { expect, test } from "vitest";
import { clientsFor } from "../../../src/cli/input/clients.ts";
import { contextOf, operationId } from "../run-cli.ts";

const status = `/projects/myProject/operationstatuses/${operationId}`;

test.each([
  [`https://contoso.devcenter.azure.com${status}`, true],
  ["https://contoso.devcenter.azure.com/projects/myProject/users/me/devboxes/b", true],
  [`http://127.0.0.1:1${status}`, true],
  ["http://127.0.0.1:1/operations/1", false],
  ["https://management.azure.com/operations/1", false],
])("%s is of a client for DevCenter: %s", (url, isDevCenter) => {
  const clients = clientsFor(contextOf({}), {});
  expect(clients.at(url) instanceof OperationStatusesClient).toBe(isDevCenter);
});

test("operations of one origin share a client, and with it a rate limiter", () => {
  const clients = clientsFor(contextOf({}), {});
  const first = clients.at("http://127.0.0.1:1/operations/1");
  expect(clients.at("http://127.0.0.1:1/operations/2")).toBe(first);
  expect(clients.at("http://127.0.0.1:2/operations/1")).not.toBe(first);
});

test.each([
  [
    "https://contoso.sharepoint.com/_api/v2.0/monitor/1?t=x",
    "https://graph.microsoft.com",
    "https://contoso.sharepoint.com/_api/v2.0/monitor/1?t=x",
  ],
  [
    "https://wabi-west-europe-redirect.analysis.windows.net/v1/operations/1",
    "https://api.fabric.microsoft.com",
    "https://api.fabric.microsoft.com/v1/operations/1",
  ],
])("%s is of the client for %s", (url, endpoint, monitorUrl) => {
  const clients = clientsFor(contextOf({}), {});
  expect(clients.at(url)).toBe(clients.at(endpoint));
  expect(clients.at(url).operationAt(url).toJSON?.()).toMatchObject({ pollingLocation: { monitorUrl } });
});

test("a client for the scope of the command line sends its token to the URL's own host", () => {
  const url = "https://contoso.sharepoint.com/operations/1";
  const clients = clientsFor(contextOf({}), { scope: ["https://contoso.sharepoint.com/.default"] });
  expect(clients.at(url)).not.toBe(clients.at("https://graph.microsoft.com"));
});
