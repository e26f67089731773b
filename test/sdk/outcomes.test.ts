import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clients } from "./clients.ts";
import { findings, findingsOf } from "./outcomes.ts";
import { isScenarioName, scenarios } from "./scenarios.ts";
import { renderOutcomes } from "./table.ts";
import { ways } from "./waits.ts";

describe.concurrent("each client, each way", () => {
  test.each(Object.keys(scenarios).filter(isScenarioName))("%s", async (name) => {
    const { appliesTo, measure } = scenarios[name];
    const cells = clients.filter(appliesTo).flatMap((client) => ways.map((way) => ({ client, way })));
    const expected = clients.flatMap((client) => findingsOf(client, name));
    const measured = await measure(cells);
    const wrong = cells.flatMap(({ client, way }, index) => {
      const [outcome, finding] = [measured[index], expected[index]?.outcome];
      return outcome === finding ? [] : [`${client.name}, ${way}: ${outcome}, expected ${finding}`];
    });
    expect(wrong).toEqual([]);
  });
});

test("each client has findings", () => {
  expect(Object.keys(findings)).toEqual(clients.map(({ name }) => name));
});

const page = new URL("../../docs/azure-sdks.md", import.meta.url);
const [start, end] = ["<!-- outcomes of test/sdk -->", "<!-- end of the outcomes -->"];

test("the page has the table of the outcomes; UPDATE_SDK_TABLE=1 writes it", () => {
  const text = readFileSync(page, "utf8");
  const [before = "", after = ""] = text.split(start);
  const [, rest = ""] = after.split(end);
  const expected = `${before}${start}\n\n${renderOutcomes()}\n\n${end}${rest}`;
  if (process.env["UPDATE_SDK_TABLE"] === "1") writeFileSync(page, expected);
  else expect(text).toBe(expected);
});
