import type { Regret, RegretLine } from "./regret.ts";

const [width, height] = [800, 490];
const plot = { left: 54, right: 640, top: 116, bottom: 438 };
const [lowestRatio, highestRatio] = [0.5, 10];

const style = `
  .page { fill: #fff } text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .halo { stroke: #fff; stroke-width: 4; stroke-linejoin: round; paint-order: stroke }
  .title { font-size: 17px; font-weight: 600 } .quiet { fill: #59636e }
  .grid { stroke: #d1d9e0 } .best { stroke: #59636e; stroke-width: 1.5 }
  polyline { fill: none; stroke-linejoin: round; stroke-linecap: round }
  .peer { stroke: #818b98; stroke-opacity: 0.65 }
  .ours { stroke: #0969da; stroke-width: 4 } .default { stroke: #0969da; stroke-width: 1.8; stroke-dasharray: 2 5 }
  .name { fill: #0969da; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #f0f6fc } .halo { stroke: #0d1117 } .quiet { fill: #9198a1 }
    .grid { stroke: #2b3138 } .best { stroke: #9198a1 } .peer { stroke: #9198a1 }
    .ours, .default { stroke: #4493f8 } .name { fill: #4493f8 }
  }`;

/** A text and its place. */
interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: "start" | "middle" | "end";
  readonly kind: string;
}

/** Returns the distance from the left edge of an operation that takes `seconds`. */
export function xOf(seconds: number): number {
  return along(plot.left, plot.right, Math.log(seconds / 5) / Math.log(10_800 / 5));
}

/** Returns the distance from the top of a cost as a multiple of the best fixed interval's. */
export function yOf(ratio: number): number {
  return along(plot.bottom, plot.top, Math.log(ratio / lowestRatio) / Math.log(highestRatio / lowestRatio));
}

function along(from: number, to: number, part: number): number {
  return Math.round((from + (to - from) * part) * 10) / 10;
}

const xTicks: readonly (readonly [number, string])[] = [
  [5, "5 s"],
  [20, "20 s"],
  [60, "1 min"],
  [300, "5 min"],
  [1200, "20 min"],
  [3600, "1 h"],
  [10_800, "3 h"],
];
const yTicks: readonly number[] = [0.5, 1, 2, 5, 10];

/** The peers whose lines leave the picture at its top, with their labels. */
const namedAtTop: Readonly<Record<string, string>> = {
  "replicate.wait": "replicate",
  "azure-core (Java), data": "Java SDK, 1 s",
  "@azure/core-lro": "core-lro, 2 s",
  "openai runs.poll": "openai, 5 s",
};
/** The peers that have their labels at the right. */
const namedAtRight: Readonly<Record<string, string>> = {
  "go-azure-sdk": "go-azure-sdk, 10 s",
  "boto waiter, 15 s": "boto waiter, 15 s",
  "AWS SDK v3 waiter": "AWS SDK v3 waiter",
};
const namedAtLeft: Readonly<Record<string, string>> = { "azcore (Go)": "azcore (Go), 30 s" };

/** Returns all text of the picture. */
function labelsOf({ durations, peers, ours }: Regret): readonly Label[] {
  const atRight = plot.right + 8;
  const heading: readonly Label[] = [
    { text: title, x: 12, y: 26, anchor: "start", kind: "title" },
    { text: formula, x: 12, y: 48, anchor: "start", kind: "quiet" },
    { text: "lro-poller", x: 12, y: 67, anchor: "start", kind: "name" },
    { text: legend, x: 92, y: 67, anchor: "start", kind: "quiet" },
  ];
  const ticks = [
    ...xTicks.map(([seconds, text]) => axisLabel(text, xOf(seconds), plot.bottom + 20, "middle")),
    ...yTicks.map((ratio) => axisLabel(`${ratio} ×`, plot.left - 8, yOf(ratio) + 4, "end")),
    axisLabel("how long the operation takes", (plot.left + plot.right) / 2, height - 12, "middle"),
  ];
  const top = named(peers, namedAtTop).map(([text, { ratios }]) =>
    axisLabel(text, xOf(crossing(durations, ratios)), plot.top - 8, "middle"),
  );
  const right = named(peers, namedAtRight).map(([text, line]) =>
    axisLabel(text, atRight, yOf(lastOf(line)) + 4, "start"),
  );
  const left = named(peers, namedAtLeft).map(([text, { ratios }]) =>
    axisLabel(text, plot.left + 6, yOf(ratios[0] ?? 1) - 8, "start"),
  );
  const names = ours.map((line) => nameLabel(line.name, atRight, yOf(lastOf(line)) + 4));
  return [...heading, ...ticks, ...top, ...right, ...left, ...names];
}

const title = "The cost of waiting, by how long the operation takes";
const formula =
  "lateness + 1 s × polls, as a multiple of the best fixed interval for that duration; lower is better";
const legend = "solid: no maxDelayInMs; dotted: its default. Grey: the defaults of 22 other pollers";

function axisLabel(text: string, x: number, y: number, anchor: Label["anchor"]): Label {
  return { text, x, y, anchor, kind: "quiet" };
}

function nameLabel(text: string, x: number, y: number): Label {
  return { text, x, y, anchor: "start", kind: "name" };
}

function named(
  lines: readonly RegretLine[],
  labels: Readonly<Record<string, string>>,
): (readonly [string, RegretLine])[] {
  return lines.flatMap((line) => {
    const text = labels[line.name];
    return text === undefined ? [] : [[text, line] as const];
  });
}

function lastOf({ ratios }: RegretLine): number {
  return ratios.at(-1) ?? NaN;
}

/** Returns the duration at which a line leaves the picture at its top. */
function crossing(durations: readonly number[], ratios: readonly number[]): number {
  const after = ratios.findIndex((ratio) => ratio > highestRatio);
  const at = (values: readonly number[], index: number): number => Math.log(values[index] ?? NaN);
  const [from, to] = [at(durations, after - 1), at(durations, after)];
  const [below, above] = [at(ratios, after - 1), at(ratios, after)];
  return Math.exp(from + ((to - from) * (Math.log(highestRatio) - below)) / (above - below));
}

/** Draws the cost of each way to wait over the duration, both axes logarithmic. */
export function picture(regret: Regret): string {
  const { durations, peers, ours, oursByDefault } = regret;
  const parts = [
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...xTicks.map(([seconds]) => gridLine(xOf(seconds), plot.top, xOf(seconds), plot.bottom)),
    ...yTicks.map((ratio) =>
      gridLine(plot.left, yOf(ratio), plot.right, yOf(ratio), ratio === 1 ? "best" : "grid"),
    ),
    `<clipPath id="plot"><rect x="${plot.left}" y="${plot.top}" width="${plot.right - plot.left}" height="${plot.bottom - plot.top}"/></clipPath>`,
    `<g clip-path="url(#plot)">`,
    ...peers.map((line) => curve(durations, line, "peer")),
    ...oursByDefault.map((line) => curve(durations, line, "default")),
    ...ours.map((line) => curve(durations, line, "ours")),
    "</g>",
    ...labelsOf(regret).map(textOf),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>${style}
</style>
${parts.join("\n")}
</svg>
`;
}

function curve(durations: readonly number[], { name, ratios }: RegretLine, kind: string): string {
  const points = ratios.map((ratio, i) => `${xOf(durations[i] ?? NaN)},${yOf(ratio)}`).join(" ");
  return `<polyline class="${kind}" points="${points}"><title>${escaped(name)}</title></polyline>`;
}

function gridLine(x1: number, y1: number, x2: number, y2: number, kind = "grid"): string {
  return `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function textOf({ text, x, y, anchor, kind }: Label): string {
  return `<text class="${kind} halo" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
