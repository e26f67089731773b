/**
 * Counts the requests with which a deployment is watched, and how late each part and the end is seen, in a simulation.
 *
 * `npm run bench:arm` runs 200 deployments of 60 parts, and fewer of the other sizes; `-- 20` runs 20.
 */
import { countLater, measure } from "./measure.ts";
import type { Figures, ShapeName } from "./measure.ts";

const count = Number(process.argv[2] ?? 200);
const sizes: readonly (readonly [name: ShapeName, count: number])[] = [
  ["usual", count],
  ["many", Math.ceil(count / 10)],
  ["small", count],
];

for (const [name, waits] of sizes) {
  const { unobserved, observed, unobservedWithPast, observedWithPast, azd, powerShell } = await measure(
    name,
    waits,
  );
  console.log(
    `\n${name}: ${waits} deployments; azd ${azd.toFixed(0)} requests, PowerShell ${powerShell.toFixed(0)}`,
  );
  console.table({
    "nobody follows": row(unobserved),
    "with parts": row(observed),
    "nobody follows, 20 past runs": row(unobservedWithPast),
    "with parts, 20 past runs": row(observedWithPast),
  });
  console.log(
    `The end was known later than without parts in ${countLater(observed, unobserved)} of ${waits} waits.`,
  );
}

function row(figures: Figures): Readonly<Record<string, number | string>> {
  const seconds = (durationInMs: number): string => (durationInMs / 1000).toFixed(1);
  const hasParts = figures.unseenParts === 0;
  return {
    requests: Math.round(figures.requests),
    polls: Math.round(figures.polls),
    "end late (s)": seconds(figures.latenessInMs),
    "end late + polls (s)": seconds(figures.costOfEndInMs),
    "part late p50 (s)": hasParts ? seconds(figures.medianPartLatenessInMs) : "",
    "part late p95 (s)": hasParts ? seconds(figures.p95PartLatenessInMs) : "",
    "percentage off by": hasParts ? figures.percentageError.toFixed(1) : "",
  };
}
