import { existsSync } from "node:fs";
import { join } from "node:path";
import { LroClient, pollUntilDone } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { describe, expect, onTestFinished, test } from "vitest";
import { runCli, temporaryFolder } from "../../cli/run-cli.ts";
import { historyWithWarnings } from "../../history/support.ts";
import { redisTest } from "../../support/redis.ts";
import { endOf, envOfWaits, outputOf, startProcess, waitingProcess } from "../lro/killed-process.ts";
import { fast } from "../lro/support.ts";
import { serveStyle } from "./served-style.ts";
import type { ServedStyle } from "./served-style.ts";
import { styles } from "./styles.ts";
import type { WireStyle } from "./styles.ts";

async function serve(style: WireStyle, runningPolls?: number): Promise<ServedStyle> {
  const served = await serveStyle(style, runningPolls);
  onTestFinished(() => served.close());
  return served;
}

function resultByUrl({ result, resultByUrl: ownResult = result }: WireStyle): object {
  return ownResult;
}

async function printed(...argv: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await runCli(["wait", "-q", ...argv]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout);
}

test("there are 12 styles", () => {
  expect(new Set(styles.map(({ name }) => name)).size).toBe(12);
});

describe("by URL", () => {
  test.each(styles)("$name", async (style) => {
    const { origin, start } = await serve(style);
    const operation = new LroClient(origin).operationAt(await start());
    expect(await pollUntilDone(operation, fast())).toMatchObject(resultByUrl(style));
  });
});

describe("by start", () => {
  test.each(styles)("$name", async (style) => {
    const { origin, request } = await serve(style);
    const poller = new LroClient(origin).startOperation(request, fast());
    expect(await poller.pollUntilDone()).toMatchObject(style.result);
  });
});

describe("lro wait", () => {
  test.each(styles)("$name", async (style) => {
    const { start } = await serve(style);
    expect(await printed(await start())).toMatchObject(resultByUrl(style));
  });
});

describe("lro wait --resume, of a wait that started the operation", () => {
  test.each(styles)("$name", async (style) => {
    const { origin, request, count } = await serve(style);
    const poller = new LroClient(origin).startOperation(request, fast());
    await poller.started;
    await poller.poll();
    expect(await printed("--resume", JSON.stringify(poller))).toMatchObject(style.result);
    expect(count(style.method)).toBe(1);
  });
});

describe("duration history", () => {
  test.each(styles)("$name", async (style) => {
    const { origin, request } = await serve(style);
    const { history, warnings } = historyWithWarnings();
    const options = await history.options(style.name, fast());
    await new LroClient(origin).startOperation(request, options).pollUntilDone();
    await history.settled();
    expect(warnings).toEqual([]);
    expect(await history.pastDurations(style.name)).toHaveLength(1);
  });
});

redisTest("a queue of all styles", async ({ connection }) => {
  const services = await Promise.all(styles.map((style) => serve(style)));
  const clients = services.map(({ origin }) => new LroClient(origin));
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients });
  await worker.started;
  const results = services.map(async ({ origin, start }) => {
    const operation = new LroClient(origin).operationAt(await start());
    return (await queue.add(operation, { minDelayInMs: 0, pollCostInMs: 1 })).pollUntilDone();
  });
  expect(await Promise.all(results)).toMatchObject(styles.map(resultByUrl));
});

test("a process that waits for all styles is killed, and another one continues", async () => {
  const services = await Promise.all(styles.map((style) => serve(style, Number.MAX_SAFE_INTEGER)));
  const folder = temporaryFolder();
  const waits = services.map(({ request }, index) => ({ request, tokenFile: join(folder, String(index)) }));
  const env = envOfWaits({ waits, options: { minDelayInMs: 50, maxDelayInMs: 50 } });
  const killed = startProcess(waitingProcess, env);
  await expect.poll(() => waits.every(({ tokenFile }) => existsSync(tokenFile))).toBe(true);
  killed.kill("SIGKILL");
  expect(await endOf(killed)).toBe("SIGKILL");
  for (const { finish } of services) finish();
  const next = startProcess(waitingProcess, env);
  const [output, exitCode] = await Promise.all([outputOf(next), endOf(next)]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(output)).toMatchObject(styles.map(({ result }) => result));
  expect(services.map(({ count }, index) => count(styles[index]?.method ?? ""))).toEqual(styles.map(() => 1));
});
