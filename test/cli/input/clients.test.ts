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
