/** A point of the picture: how many requests, and how late, in seconds. */
export interface PicturePoint {
  readonly name: string;
  readonly polls: number;
  readonly lateness: number;
}

const [width, height] = [960, 560];
const margin = { left: 70, right: 250, top: 56, bottom: 56 };

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; stroke: #fff; stroke-width: 4; paint-order: stroke }
  .title { font-size: 15px; font-weight: 600 } .axis { fill: #57606a }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .peer { fill: #8c959f } .ours { fill: #0969da } .name { font-weight: 600 }
  .curve { fill: none; stroke: #0969da; stroke-width: 2.5 } .dashed { stroke-dasharray: 7 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; stroke: #0d1117 } .axis { fill: #8d96a0 } .grid { stroke: #30363d }
    .peer { fill: #8d96a0 } .ours { fill: #4493f8 } .curve { stroke: #4493f8 }
  }`;

/** One curve of the picture, over the price. */
export interface PictureCurve {
  readonly name: string;
  readonly isDashed: boolean;
  readonly points: readonly PicturePoint[];
}

/** Draws requests against lateness on logarithmic axes: a point for each peer, and our curves over the price. */
export function picture(
  title: string,
  peers: readonly PicturePoint[],
  curves: readonly PictureCurve[],
): string {
  const all = [...peers, ...curves.flatMap(({ points }) => points)];
  const x = axis(
    all.map(({ polls }) => polls),
    margin.left,
    width - margin.right,
    roomForNames,
  );
  const y = axis(
    all.map(({ lateness }) => lateness),
    height - margin.bottom,
    margin.top,
  );
  const parts = [
    ...x.ticks.map((tick) => gridLine(x.at(tick), margin.top, x.at(tick), height - margin.bottom)),
    ...y.ticks.map((tick) => gridLine(margin.left, y.at(tick), width - margin.right, y.at(tick))),
    ...x.ticks.map((tick) => label(x.at(tick), height - margin.bottom + 18, String(tick), "middle")),
    ...y.ticks.map((tick) => label(margin.left - 8, y.at(tick) + 4, String(tick), "end")),
    label((margin.left + width - margin.right) / 2, height - 16, "requests for one operation", "middle"),
    `<text class="title" x="${margin.left}" y="24">${escaped(title)}</text>`,
    label(margin.left, 44, "seconds from the end of the operation to the poll that sees it", "start"),
    ...curves.map((curve) => curveLine(curve, x.at, y.at)),
    ...peerMarks(peers, x.at, y.at),
    ...curves.map((curve) => curveMarks(curve, x.at, y.at)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>${style}
</style>
${parts.join("\n")}
</svg>
`;
}

interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Room for the names of the curves, left of them. */
const roomForNames = 6;

/** A logarithmic axis from `from` to `to`, in pixels, with ticks at 1, 2 and 5, and with room before the minimum. */
function axis(values: readonly number[], from: number, to: number, room = 1.3): Axis {
  const min = Math.log10(Math.min(...values) / room);
  const max = Math.log10(Math.max(...values) * 1.3);
  const decades = Array.from({ length: 12 }, (_, i) => i - 4);
  return {
    at: (value) => round(from + ((Math.log10(value) - min) / (max - min)) * (to - from)),
    ticks: decades
      .flatMap((decade) => [1, 2, 5].map((digit) => Number((digit * 10 ** decade).toPrecision(3))))
      .filter((tick) => Math.log10(tick) >= min && Math.log10(tick) <= max),
  };
}

/** Overlapping peers share a label; overlapping labels move down. */
function peerMarks(
  peers: readonly PicturePoint[],
  x: (value: number) => number,
  y: (value: number) => number,
): readonly string[] {
  const groups: { readonly x: number; readonly y: number; labelY: number; readonly names: string[] }[] = [];
  const dots = peers
    .toSorted((a, b) => b.lateness - a.lateness)
    .map(({ name, polls, lateness }) => {
      const [left, top] = [x(polls), y(lateness)];
      const near = groups.find((group) => Math.hypot(group.x - left, group.y - top) < 12);
      if (near) near.names.push(name);
      else groups.push({ x: left, y: top, labelY: below(groups, left, top + 4), names: [name] });
      return `<circle class="peer" cx="${left}" cy="${top}" r="4"/>`;
    });
  const labels = groups.map((group) => label(group.x + 8, group.labelY, shortened(group.names), "start"));
  return [...labels, ...dots];
}

function below(
  groups: readonly { readonly x: number; readonly labelY: number }[],
  x: number,
  y: number,
): number {
  const isTaken = groups.some((group) => Math.abs(group.x - x) < 200 && Math.abs(group.labelY - y) < 13);
  return isTaken ? below(groups, x, y + 4) : y;
}

function shortened(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ");
}

function curveLine(
  { isDashed, points }: PictureCurve,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const path = points.map(({ polls, lateness }) => `${x(polls)},${y(lateness)}`).join(" ");
  return `<polyline class="curve${isDashed ? " dashed" : ""}" points="${path}"/>`;
}

function curveMarks(
  { name, points }: PictureCurve,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const marks = points.map(
    (point) =>
      `<circle class="ours" cx="${x(point.polls)}" cy="${y(point.lateness)}" r="3.5"><title>${escaped(point.name)}</title></circle>`,
  );
  const last = points.at(-1);
  const [left, top] = [round(x(last?.polls ?? 1) - 10), round(y(last?.lateness ?? 1) + 4)];
  return `<text class="ours name" x="${left}" y="${top}" text-anchor="end">${escaped(name)}</text>${marks.join("")}`;
}

function gridLine(x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="grid" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function label(x: number, y: number, text: string, anchor: "start" | "middle" | "end"): string {
  return `<text class="axis" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
