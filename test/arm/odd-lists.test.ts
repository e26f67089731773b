import { createHttpHeaders } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";
import { LroClient, createPoller } from "lro-poller";
import type { Progress } from "lro-poller";
import { deployment } from "lro-poller/arm";
import { createVirtualClock } from "lro-poller/testing";
import { expect, test } from "vitest";
import { deploymentType, group, outline, resourceId, root, storage } from "./support.ts";

const start = Date.UTC(2025, 0, 1);

interface OddService {
  /** Returns the body of a page. */
  readonly list: (url: string) => object;
  /** Returns the HTTP status of a page. Default: 200 for each. */
  readonly statusOf?: (url: string) => number;
  /** Fields of the deployment's `properties`. */
  readonly properties?: object;
  readonly runningPolls?: number;
}

/** The requests of a wait for `d1`, and its last progress. */
interface Watched {
  readonly urls: readonly string[];
  readonly last: Progress | undefined;
}

/** Watches a deployment whose service is written by hand: the emulator sends no such bodies. */
async function watchOdd({ list, statusOf, properties, runningPolls = 10 }: OddService): Promise<Watched> {
  const clock = createVirtualClock();
  const urls: string[] = [];
  let polls = 0;
  const statusBody = (): object => {
    const provisioningState = polls++ < runningPolls ? "Running" : "Succeeded";
    return { properties: { timestamp: at(0), duration: "PT0S", ...properties, provisioningState } };
  };
  const httpClient: HttpClient = {
    sendRequest: async (request) => {
      urls.push(request.url);
      const body = request.url.includes("/operations?") ? list(request.url) : statusBody();
      const status = statusOf?.(request.url) ?? 200;
      return { request, status, headers: createHttpHeaders(), bodyAsText: JSON.stringify(body) };
    },
  };
  const client = new LroClient("https://management.azure.com", undefined, {
    httpClient,
  });
  let last: Progress | undefined;
  const poller = createPoller(deployment(client, root), {
    clock,
    random: () => 0.5,
    onProgress: (progress) => (last = progress),
  });
  await clock.runUntilSettled(poller.pollUntilDone());
  return { urls, last };
}

function at(afterInMs: number): string {
  return new Date(start + afterInMs).toISOString();
}

function row(name: string, id: string, type: string, endsAfterInMs?: number): object {
  const provisioningState = endsAfterInMs === undefined ? "Running" : "Succeeded";
  const targetResource = { id, resourceType: type, resourceName: name };
  return {
    operationId: name,
    properties: {
      provisioningOperation: "Create",
      provisioningState,
      timestamp: at(endsAfterInMs ?? 60_000),
      duration: "PT1S",
      targetResource,
    },
  };
}

const listsIn = ({ urls }: Watched): readonly string[] => urls.filter((url) => url.includes("/operations?"));

test("a nextLink back to a page that was read ends the list", async () => {
  const value = [row("one", resourceId("one"), storage)];
  const straight = await watchOdd({ list: () => ({ value }) });
  const looping = await watchOdd({
    list: (url) => ({
      value,
      nextLink: `${url.replace("&page=2", "")}${url.includes("page") ? "" : "&page=2"}`,
    }),
  });
  expect(outline(looping.last?.operation.parts)).toEqual(["one Succeeded"]);
  expect(listsIn(looping)).toHaveLength(2 * listsIn(straight).length);
});

test("a nextLink may be relative to the page", async () => {
  const watched = await watchOdd({
    list: (url) =>
      url.includes("page=2")
        ? { value: [row("two", resourceId("two"), storage)] }
        : { value: [], nextLink: "operations?api-version=2025-04-01&page=2" },
  });
  expect(outline(watched.last?.operation.parts)).toEqual(["two Succeeded"]);
});

test("a page that is gone is an error of the list, not a list without parts", async () => {
  const watched = await watchOdd({
    list: () => ({ value: [], nextLink: `https://management.azure.com${root}/operations?page=2` }),
    statusOf: (url) => (url.includes("page=2") ? 404 : 200),
  });
  const message: unknown = expect.stringContaining("404");
  expect(watched.last?.operation).toMatchObject({ partsError: { message } });
});

test("a nextLink to another origin is not followed, and its query not shown", async () => {
  const watched = await watchOdd({
    list: () => ({ value: [], nextLink: "https://elsewhere.example/?sig=secret" }),
  });
  expect(watched.urls.filter((url) => url.startsWith("https://elsewhere"))).toEqual([]);
  expect(watched.last?.operation).toMatchObject({ partsError: { code: "OriginRefused" } });
  expect(JSON.stringify(watched.last)).not.toContain("secret");
});

test.each([
  "https://elsewhere.example/d",
  "//elsewhere.example/d",
  "/\\elsewhere.example/d",
  "/a/%2E%2e",
  "/a/..",
])("no list is read of a nested deployment whose id is %s", async (id) => {
  const watched = await watchOdd({ list: () => ({ value: [row("odd", id, deploymentType)] }) });
  expect(new Set(listsIn(watched)).size).toBe(1);
});

test("deployments that are nested without end are read down to a depth", async () => {
  const watched = await watchOdd({
    runningPolls: 60,
    list: (url) => {
      const level = Number(/level(\d+)\/operations/.exec(url)?.[1] ?? 0) + 1;
      const id = `${group}/providers/${deploymentType}/level${level}`;
      return { value: [row(`level${level}`, id, deploymentType)] };
    },
  });
  expect(new Set(listsIn(watched)).size).toBe(17);
  expect(outline(watched.last?.operation.parts)).toHaveLength(17);
});

test.each([null, 5, "P1Y", "-PT5S"])("a deployment whose duration is %o hides no part", async (duration) => {
  const value = [row("one", resourceId("one"), storage, 5000), row("two", resourceId("two"), storage)];
  const watched = await watchOdd({
    list: () => ({ value }),
    properties: { timestamp: at(50_000), duration },
  });
  expect(outline(watched.last?.operation.parts)).toEqual(["one Succeeded", "two Succeeded"]);
});

test.each([
  ["no objects", [null, 1, "x", []]],
  ["no properties", [{}, { properties: null }, { properties: [] }]],
  ["no state", [{ properties: { provisioningState: null } }, { properties: { provisioningState: 7 } }]],
])("rows with %s are left out", async (_, value) => {
  const watched = await watchOdd({ list: () => ({ value }) });
  expect(watched.last?.operation.parts).toEqual([]);
});
