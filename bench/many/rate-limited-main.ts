import { fleets, run } from "./rate-limited.ts";

const results: Record<string, unknown> = {};
for (const [name, fleet] of Object.entries(fleets)) results[name] = await run(fleet);
console.log(JSON.stringify(results));
