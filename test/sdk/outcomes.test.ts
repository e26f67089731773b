import { describe, expect, test } from "vitest";
import { clients } from "./clients.ts";
import { findings, findingsOf } from "./outcomes.ts";
import { isScenarioName, scenarios } from "./scenarios.ts";
import { ways } from "./waits.ts";

const cells = clients.flatMap((client) => ways.map((way) => ({ client, way })));

describe.concurrent("each client, each way", () => {
  test.each(Object.keys(scenarios).filter(isScenarioName))("%s", async (name) => {
    const measured = await scenarios[name].measure(cells);
    const expected = clients.flatMap((client) => findingsOf(client.name, name));
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
