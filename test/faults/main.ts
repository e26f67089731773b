import { runWaits } from "./waits.ts";
const seed = Number(process.env["SEED"] ?? 1);
const t = performance.now();
console.log(await runWaits(seed, Number(process.env["WAITS"] ?? 100)), performance.now() - t);
