import { fleets, run } from "./short-budget.ts";

for (const [name, fleet] of Object.entries(fleets)) console.log(name, JSON.stringify(await run(fleet)));
