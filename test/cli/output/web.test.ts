import { once } from "node:events";
import { get, request } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { createVirtualClock } from "lro-poller/testing";
import { expect, onTestFinished, test } from "vitest";
import { startPageServer } from "../../../src/cli/output/page-server.ts";
import { combined } from "../../../src/cli/output/reporter.ts";
import { Viewer } from "../../../src/cli/output/viewer.ts";
import { WaitBoard } from "../../../src/cli/output/wait-board.ts";
import { createWebReporter } from "../../../src/cli/output/web-reporter.ts";
import { CapturedOutput, contextOf, operationId, pageOf, runCli, startServer } from "../run-cli.ts";

function parsed(json: string): unknown {
  return JSON.parse(json);
}

/** The events of a page's stream. */
function eventsIn(stream: string): { readonly event: string; readonly data: unknown }[] {
  return Array.from(stream.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm), ([, event = "", json = ""]) => ({
    event,
    data: parsed(json),
  }));
}

function responseTo(url: string | URL, options: RequestOptions = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, options, (response) => resolve(response.resume()))
      .on("error", reject)
      .end();
  });
}

async function startedPage(): Promise<URL> {
  const page = await startPageServer((response) => response.end());
  onTestFinished(() => page.close());
  return new URL(page.url);
}

test("the page and its events are served only under their path", async () => {
  const url = await startedPage();
  expect(url.pathname).toMatch(/^\/[\w-]{22}\/$/);
  expect((await startedPage()).pathname).not.toBe(url.pathname);
  const statusOf = async (path: string): Promise<number | undefined> =>
    (await responseTo(new URL(path, url))).statusCode;
  expect(await statusOf(url.pathname)).toBe(200);
  expect(await statusOf(`${url.pathname}events`)).toBe(200);
  for (const path of ["/", "/events", `${url.pathname}x`, url.pathname.slice(0, -1), `${url.pathname}?x`]) {
    expect(await statusOf(path), path).toBe(404);
  }
});

test("a request with another host name is rejected, and so is every method but GET", async () => {
  const url = await startedPage();
  for (const host of ["evil.example", `evil.example:${url.port}`, "127.0.0.1", `127.0.0.1:1`]) {
    expect((await responseTo(url, { headers: { host } })).statusCode, host).toBe(403);
  }
  expect((await responseTo(url, { headers: { host: `localhost:${url.port}` } })).statusCode).toBe(200);
  expect((await responseTo(url, { method: "POST" })).statusCode).toBe(405);
});

test("it listens on the loopback address only", async () => {
  const url = await startedPage();
  expect(url.hostname).toBe("127.0.0.1");
  const elsewhere = get({ host: "127.0.0.2", port: url.port });
  await expect(once(elsewhere, "response")).rejects.toThrow("ECONNREFUSED");
});

test("the page may load nothing from elsewhere, and run nothing but its own script", async () => {
  const { headers } = await responseTo(await startedPage());
  const policy = headers["content-security-policy"];
  expect(policy).toMatch(/^default-src 'none'; connect-src 'self'; /);
  expect(policy).toMatch(/script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}';/);
  expect(policy).not.toContain("unsafe");
  expect(headers).toMatchObject({ "referrer-policy": "no-referrer", "cache-control": "no-store" });
});

test("lro wait --web prints the page's address, and the page gets all events until the end", async () => {
  const server = await startServer();
  const timeline = [{ status: "Running" }];
  const [web, db] = [server.addOperation({ timeline }), server.addOperation({ timeline })];
  const stderr = new CapturedOutput();
  const argv = ["wait", "--web", `web=${web.operationLocation}`, `db=${db.operationLocation}`];
  const waiting = runCli(argv, { stderr });
  const stream = fetch(`${await pageOf(stderr)}events`).then(async (response) => {
    // Both have to be seen under way first.
    const polled = (): number =>
      new Set(server.requests.flatMap(({ operationId: id, responseStatus }) => (responseStatus ? id : [])))
        .size;
    await expect.poll(polled).toBe(2);
    server.setStatus(web.operationId, { status: "Succeeded", properties: "TOPSECRET" });
    server.setStatus(db.operationId, {
      status: "Failed",
      error: { code: "Quota", message: "8 cores <b>needed</b>" },
    });
    return response.text();
  });
  const { exitCode, stdout } = await waiting;
  expect(exitCode).toBe(1);
  expect(stdout).toContain('web result:\n"TOPSECRET"');
  const events = eventsIn(await stream);
  expect(events.at(-1)).toEqual({ event: "end", data: {} });
  const last = (index: number): unknown =>
    events.findLast(({ data }) => JSON.stringify(data).startsWith(`{"index":${index},`))?.data;
  const states = (...names: string[]): unknown[] =>
    names.map((status) => expect.objectContaining({ status }));
  expect(last(0)).toMatchObject({
    label: "web",
    state: "Succeeded",
    look: "succeeded",
    percent: 100,
    isOver: true,
    states: states("Running", "Succeeded"),
  });
  expect(last(1)).toMatchObject({
    state: "Failed",
    look: "failed",
    error: expect.stringContaining("Quota: 8 cores <b>needed</b>"),
    states: states("Running", "Failed"),
  });
  expect(JSON.stringify(events)).not.toContain("TOPSECRET");
});

test("a page that does not receive makes nothing pile up, and gets the latest state when it receives again", async () => {
  const version = Array.from({ length: 10 }, () => 0);
  const filler = "x".repeat(100_000);
  const [viewer, pile] = [Promise.withResolvers<Viewer>(), Promise.withResolvers<() => number>()];
  const page = await startPageServer((response) => {
    viewer.resolve(new Viewer(response, version.keys(), (index) => `${index}:${version[index]}:${filler}\n`));
    pile.resolve(() => response.writableLength);
  });
  onTestFinished(() => page.close());
  const response = await fetch(`${page.url}events`);
  const { update, end, length } = await Promise.all([viewer.promise, pile.promise]).then(
    ([one, lengthOf]) => ({
      update: (index: number) => one.update(index),
      end: () => one.end(),
      length: lengthOf,
    }),
  );
  for (let round = 1; round <= 1000; round++) {
    for (const index of version.keys()) {
      version[index] = round;
      update(index);
    }
  }
  expect(length()).toBeLessThan(2_000_000);
  let received = "";
  for await (const chunk of response.body ?? []) {
    received = (received + Buffer.from(chunk).toString()).replaceAll(filler, "");
    if (received.match(/:1000:/g)?.length === version.length) end();
  }
  for (const index of version.keys()) expect(received).toContain(`${index}:1000:`);
});

test("a page that is opened late gets the current state of each wait, with durations as of now", async () => {
  const clock = createVirtualClock();
  const stderr = new CapturedOutput();
  const names = [{ id: operationId, name: "web" }];
  const context = contextOf({ stderr, pollOptions: { clock } });
  const board = new WaitBoard(names, context);
  const reporter = combined([board, await createWebReporter(names, board, context)]);
  reporter.progress(0, {
    status: "Running",
    previousStatus: undefined,
    changed: true,
    percentComplete: 40,
    operation: { id: operationId, name: operationId, status: "Running" },
    elapsedInMs: 60_000,
    estimatedRemainingInMs: 90_000,
    estimatedRemainingRangeInMs: undefined,
    isOverdue: false,
    nextPollInMs: 30_000,
    pollCount: 1,
    failedPollCount: 0,
  });
  await clock.advance(10_000);
  const url = stderr.text.replace("Live page: ", "").trim();
  const response = await fetch(`${url}events`);
  reporter.close();
  const [first, end] = eventsIn(await response.text());
  expect(first?.data).toEqual({
    index: 0,
    label: "web",
    isOverdue: false,
    state: "Running",
    look: "running",
    isOver: false,
    percent: 40,
    elapsedInMs: 70_000,
    remainingInMs: 80_000,
    nextPollInMs: 20_000,
    states: [{ status: "Running", atInMs: 60_000 }],
  });
  expect(end?.event).toBe("end");
});
