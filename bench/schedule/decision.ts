// Measures the CPU time of one decision of the adaptive schedule, on the histories of simulated waits.
import { adaptive } from "../../src/schedule/adaptive.ts";
import type { PollHistory } from "../../src/schedule/schedule.ts";
import { median } from "../median.ts";
import { seeded } from "./random.ts";
import { noPercentage, shapes, unseenShapes } from "./shapes.ts";
import type { Shape } from "./shapes.ts";
import { waitAsPoller } from "./simulate.ts";

const [waits, rounds, decisions] = [20, 25, 4000];
const pastDurationsInMs = Array.from({ length: 20 }, (_, i) => 600_000 + 60_000 * i);

/** A kind of decision: its schedule, and the histories that it decides on. */
interface Kind {
  readonly name: string;
  readonly schedule: ReturnType<typeof adaptive>;
  readonly histories: readonly PollHistory[];
  readonly times: number[];
}

function kindOf(shape: Shape, past: readonly number[] = []): Kind {
  const schedule = adaptive({ pastDurationsInMs: past });
  const histories: PollHistory[] = [];
  for (let run = 0; run < waits; run++) {
    const percentageAt = shape.percentageOf(1200, seeded(run));
    const watch = (history: PollHistory): void => void histories.push(history);
    waitAsPoller(schedule, { duration: 1200, percentageAt }, seeded(run), { watch });
  }
  return { name: `${shape.name}${past.length > 0 ? ", 20 past" : ""}`, schedule, histories, times: [] };
}

const kinds = [
  kindOf(noPercentage),
  kindOf(shapes.truthful),
  kindOf(shapes.noisy),
  kindOf(unseenShapes.veryNoisy),
  kindOf(shapes.coarse),
  kindOf(shapes.stuck),
  kindOf(noPercentage, pastDurationsInMs),
  kindOf(shapes.truthful, pastDurationsInMs),
];

for (let round = 0; round < rounds; round++) {
  for (const { schedule, histories, times } of kinds) {
    const start = process.cpuUsage().user;
    for (let i = 0; i < decisions; i++) {
      const history = histories[i % histories.length];
      if (history) schedule(history, () => 0.5);
    }
    times.push((process.cpuUsage().user - start) / decisions);
  }
}

console.table(
  kinds.map(({ name, times }) => ({
    percentage: name,
    "median, µs": median(times).toFixed(1),
    "least, µs": Math.min(...times).toFixed(1),
  })),
);
