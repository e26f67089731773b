import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { xOf, yOf } from "../../bench/schedule/picture.ts";
import { regretOver, spacedDurations } from "../../bench/schedule/regret.ts";

const svg = readFileSync("bench/schedule/picture.svg", "utf8");

interface Box {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly y: number;
}

/** Returns the boxes of all texts, as wide as a wide font makes them. */
function boxesOf(picture: string): readonly Box[] {
  const texts = picture.matchAll(
    /<text class="(\w+) halo" x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">([^<]+)</g,
  );
  return Array.from(texts, ([, kind, x, y, anchor, text = ""]) => {
    const width = text.length * (kind === "title" ? 10 : 7.6);
    const left = Number(x) - (anchor === "start" ? 0 : anchor === "middle" ? width / 2 : width);
    return { text, left, right: left + width, y: Number(y) };
  });
}

test("the picture's texts are inside it and do not overlap", () => {
  const boxes = boxesOf(svg);
  expect(boxes.length).toBeGreaterThan(20);
  expect(boxes.filter(({ left, right, y }) => left < 0 || right > 800 || y > 490)).toEqual([]);
  const overlapping = boxes.flatMap((a, i) =>
    boxes
      .slice(i + 1)
      .filter((b) => a.left < b.right && b.left < a.right && Math.abs(a.y - b.y) < 13)
      .map((b) => [a.text, b.text]),
  );
  expect(overlapping).toEqual([]);
});

test("the picture has the figures of the simulation", () => {
  const durations = spacedDurations.filter((_, i) => i === 0 || i === 12);
  const regret = regretOver(durations);
  const points = [...regret.peers, ...regret.ours, ...regret.oursByDefault].flatMap(({ ratios }) =>
    ratios.map((ratio, i) => `${xOf(durations[i] ?? NaN)},${yOf(ratio)}`),
  );
  expect(points).toHaveLength(2 * 28);
  expect(points.filter((point) => !svg.includes(point))).toEqual([]);
});
