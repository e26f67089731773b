import { randomDeployment, shapes } from "./random-deployment.ts";
import { simulate, anotherRun, pastOf } from "./simulate.ts";
const n = Number(process.argv[2] ?? 20);
const shape = (process.argv[3] ?? "usual") as keyof typeof shapes;
const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
const q = (xs: number[], p: number) => xs.toSorted((a, b) => a - b)[Math.floor(xs.length * p)] ?? 0;
const ends: Record<string, number[]> = {};
for (const mode of ["alone", "parts", "past-alone", "past"]) {
  if (process.argv[4] && !process.argv[4].split(",").includes(mode)) continue;
  const w = [];
  for (let seed = 1; seed <= n; seed++) {
    const plan = randomDeployment({ ...shapes[shape], seed });
    const run = anotherRun(plan, seed * 1000 + 999);
    const past = mode.startsWith("past") ? pastOf(plan, 20, seed) : undefined;
    w.push(
      await simulate(run, {
        isObserved: !mode.endsWith("alone"),
        seed,
        ...(past && {
          poll: { pastDurationsInMs: past.pastDurationsInMs },
          deployment: { pastDurationsOfTypes: past.pastDurationsOfTypes },
        }),
      }),
    );
  }
  const late = w.flatMap((x) => x.partLatenessInMs);
  ends[mode] = w.map((x) => x.latenessInMs);
  if (process.env["SHOW"])
    console.log(w.map((x) => [Math.round(x.latenessInMs / 100) / 10, x.polls].join(":")).join(" "));
  console.log(
    mode,
    "settled",
    Math.max(...w.map((x) => x.settledInMs)),
    "req",
    mean(w.map((x) => x.requests)),
    "polls",
    mean(w.map((x) => x.polls)),
    "late",
    mean(w.map((x) => x.latenessInMs)).toFixed(0),
    "cost",
    mean(w.map((x) => x.latenessInMs + 1000 * x.polls)).toFixed(0),
    "part p50",
    q(late, 0.5),
    "p95",
    q(late, 0.95),
    "unseen",
    late.filter((x) => x === Infinity).length,
    "err",
    mean(w.map((x) => x.percentageError ?? 0)).toFixed(1),
  );
}

const later = (a: string, b: string) => ends[a]?.filter((x, i) => x > (ends[b]?.[i] ?? 0)).length;
console.log("later", later("parts", "alone"), later("past", "past-alone"));
