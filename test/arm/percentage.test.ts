import { expect, test } from "vitest";
import { noParts, keyOf, withRows } from "../../src/arm/parts.ts";
import { timeWeightedPercentage } from "../../src/arm/percentage.ts";
import { parsePage } from "../../src/arm/row.ts";
import { resourceId, root, storage } from "./support.ts";

test("a list has no most rows", () => {
  const start = Date.UTC(2025, 0, 1);
  const properties = { provisioningState: "Running", timestamp: new Date(start + 1000), duration: "PT1S" };
  const value = Array.from({ length: 130_000 }, (_, row) => ({
    properties: { ...properties, targetResource: { id: resourceId(`part${row}`), resourceType: storage } },
  }));
  const { rows } = parsePage(JSON.parse(JSON.stringify({ value })));
  const state = withRows(noParts(root), keyOf(root), rows, false);
  const past = new Map([[storage.toLowerCase(), [10_000]]]);
  expect(timeWeightedPercentage(state, start + 5000, past)).toBe(50);
});
