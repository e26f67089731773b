import { expect, it } from "vitest";
import { renderWaits } from "../../../src/cli/output/view.ts";
import type { Style } from "../../../src/cli/output/terminal.ts";

const view = { label: "dev-box", status: "Running", percentComplete: 50, updatedAt: 0, elapsedInMs: 60_000 };

function render(isOverdue: boolean): string {
  const paint = (style: Style, text: string): string => `<${style}>${text}`;
  const [line = ""] = renderWaits([{ ...view, isOverdue, nextPollInMs: 5000 }], {
    columns: 90,
    now: 0,
    paint,
  });
  return line;
}

it("the bar of an operation that is overdue is orange, and the line says so", () => {
  expect(render(false)).toContain("<cyan>█");
  expect(render(false)).not.toContain("overdue");
  expect(render(true)).toContain("<orange>█");
  expect(render(true)).toContain("overdue, next 5 s");
});
