import { describe, expect, test } from "vitest";
import { formatOperationError } from "../../src/operation/error-text.ts";
import { parseOperationError } from "../../src/operation/parse-error.ts";

function textOf(value: unknown): string {
  const error = parseOperationError(value);
  if (error === undefined) throw new Error("the value has no error");
  return formatOperationError(error);
}

const zonal = { code: "ZonalAllocationFailed", message: "Allocation failed." };
const refused = { code: "InvalidTemplateDeployment", message: "Not valid." };

describe("the first line of an error's text", () => {
  test.each<[string, unknown]>([
    ["A: a", { code: "A", message: "a" }],
    ["A: a (t)", { code: "A", message: "a", target: "t" }],
    ["A", { code: "A" }],
    ["a", { message: "a" }],
    ["b (and 1 more)", [{ message: "b" }, { message: "c" }]],
    ["A: a", { code: "A", message: "a", innererror: { date: "2024-01-24" } }],
    [
      "ZonalAllocationFailed: Allocation failed. (in InvalidTemplateDeployment)",
      { ...refused, details: [zonal] },
    ],
    [
      "ZonalAllocationFailed: Allocation failed. (in InvalidTemplateDeployment)",
      { ...refused, details: [{ code: "Conflict", message: JSON.stringify({ error: zonal }) }] },
    ],
    [
      "ZonalAllocationFailed: Allocation failed. (zone 1, in A)",
      { code: "A", details: [{ ...zonal, target: "zone 1" }] },
    ],
    [
      "ZonalAllocationFailed: Allocation failed. (in A, and 2 more)",
      { code: "A", details: [{ message: "b" }, zonal, zonal] },
    ],
    ["ZonalAllocationFailed: Allocation failed. (and 1 more)", [zonal, refused]],
    [
      "A: Name is too long.",
      { code: "A", message: "Not valid.", details: [{ message: "Name is too long." }] },
    ],
    ["B: a (in A)", { code: "A", message: "a", innererror: { code: "B" } }],
    [
      "C: c (in A)",
      { code: "A", message: "a", innererror: { code: "B", innererror: { code: "C", message: "c" } } },
    ],
    [
      "C: c (in A)",
      { code: "A", message: "a", innererror: { code: "B", details: [{ code: "C", message: "c" }] } },
    ],
    ["B: b (in A)", { code: "A", details: [{ code: "B", message: "b" }], innererror: { code: "C" } }],
    ["C: b (in A)", { code: "A", details: [{ message: "b" }], innererror: { code: "C", message: "b" } }],
    ["Z: a (in A)", { code: "A", message: "a", details: [{ code: "C", message: '{"code":"Z"}' }] }],
    ['A: {"a":1}', { code: "A", message: '{"a":1}' }],
  ])("is %j for %j", (line, value) => expect(textOf(value).split("\n")[0]).toBe(line));
});

describe("the text of an error", () => {
  test("has the whole tree below the root cause, without the JSON that was parsed into it", () => {
    const nested = { code: "Conflict", message: JSON.stringify({ error: zonal }) };
    expect(
      textOf({ ...refused, target: "vm", details: [nested, { message: "Why." }], innererror: { code: "I" } }),
    ).toBe(`ZonalAllocationFailed: Allocation failed. (in InvalidTemplateDeployment, and 1 more)
  InvalidTemplateDeployment: Not valid. (vm) → I
    - Conflict
      - ZonalAllocationFailed: Allocation failed.
    - Why.`);
  });

  test("has no line for a list, and at most 20 of its errors", () => {
    const lines = textOf(Array.from({ length: 22 }, (_, index) => ({ code: `E${index}` }))).split("\n");
    expect(lines).toHaveLength(22);
    expect([lines[0], lines[1], lines.at(-1)]).toEqual(["E0 (and 21 more)", "  - E0", "  - … and 2 more"]);
  });

  test("has at most 8000 characters", () => {
    expect(textOf({ code: "A", message: "a".repeat(9000), details: [zonal] })).toHaveLength(8001);
  });
});
