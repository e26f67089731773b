import { describe, expect, test } from "vitest";
import { operationId, runCli } from "../cli/run-cli.ts";
import { on, serve } from "../azure/lro/support.ts";
import type { Expected, Row } from "./row.ts";
import { families, rows } from "./rows/index.ts";
import { isRight, requestLineOf, runCoreLro, runFromPollerLike, runStarted, statusBodiesOf } from "./runs.ts";

/** Both run a row once, for its own test and for the comparison of all. */
const started = remembered(runStarted);
const coreLroRun = remembered(runCoreLro);

function remembered<Result>(run: (row: Row) => Promise<Result>): (row: Row) => Promise<Result> {
  const results = new Map<Row, Promise<Result>>();
  return (row) => {
    const result = results.get(row) ?? run(row);
    results.set(row, result);
    return result;
  };
}

test("the table has at least 60 different shapes", () => {
  const titles = rows.map(titleOf);
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  expect(titles.length).toBeGreaterThanOrEqual(60);
  expect(rows.filter(({ shape }) => shape.split(" ").length > 12)).toEqual([]);
});

describe.each(families)("%s", (_, family) => {
  const titled = family.map((row) => ({ title: titleOf(row), row }));

  describe.each(titled)("$title", ({ row }) => {
    test("startOperation", async () => {
      const { outcome, server, poller } = await started(row);
      expectOutcome(outcome, row.expected);
      expect(poller.status).toBe("error" in row.expected ? row.expected.error.status : "Succeeded");
      server.assertFinished();
      expect(server.requestLines).toEqual(row.exchanges.map(requestLineOf));
    });

    const { coreLro = "same" } = row;
    test(`core-lro: ${coreLro === "same" ? "the same" : coreLro.differs}`, async () => {
      const run = await coreLroRun(row);
      expect({ isRight: isRight(row, run), run: run.outcome }).toMatchObject({ isRight: coreLro === "same" });
    });

    test.runIf(appliesToPollerLike(row))("fromPollerLike", async () => {
      const run = await runFromPollerLike(row);
      expect(run.server.requests.filter(({ responseStatus }) => responseStatus === 418)).toEqual([]);
      expectOutcome(run.outcome, row.expected);
    });

    const bodies = statusBodiesOf(row);
    test.runIf(bodies !== undefined)("lro wait", async () => {
      const path = `/projects/myProject/operationstatuses/${operationId}?api-version=2025-02-01`;
      const named = (bodies ?? []).map((body) => ({ ...body, id: path.split("?")[0], name: operationId }));
      const server = await serve(named.map((body) => on(`GET ${path}`, 200, { body })));
      const { exitCode } = await runCli(["wait", `${server.origin}${path}`]);
      expect(exitCode).toBe(exitCodeOf(row.expected));
      server.assertFinished();
    });
  });
});

test("each row that core-lro gets right, this library gets right", async () => {
  const lost: string[] = [];
  for (const row of rows) {
    if (!isRight(row, await coreLroRun(row))) continue;
    if (!isRight(row, await started(row))) lost.push(titleOf(row));
  }
  expect(lost).toEqual([]);
});

function titleOf({ service, shape, source }: Row): string {
  return `${service}: ${shape} (${source})`;
}

function expectOutcome(outcome: object, expected: Expected): void {
  if ("result" in expected) {
    expect(outcome).toEqual(expected);
    return;
  }
  const { name, code, message = "" } = expected.error;
  const error = { name, message: expect.stringContaining(message), ...(code !== undefined && { code }) };
  expect(outcome).toMatchObject({ error });
}

function appliesToPollerLike({ fromPollerLike, coreLro = "same" }: Row): boolean {
  return fromPollerLike === undefined ? coreLro === "same" : fromPollerLike === "same";
}

function exitCodeOf(expected: Expected): number {
  if ("result" in expected) return 0;
  return expected.error.status === "Canceled" ? 3 : 1;
}
