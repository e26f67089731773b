import { installExamples, compileExamples } from "./examples.ts";
import { packRelease } from "./release.ts";

// `npm run test:engines`. Arguments select engines by name; `OPERATIONS` sets how many operations each round has.
const wanted = process.argv.slice(2);
const operations = Number(process.env["OPERATIONS"] ?? 200);

process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

installExamples();
compileExamples();
const previousFolder = packRelease();

// Only now: they import the packages of the examples.
const { engines } = await import("./engines.ts");
const { runRound } = await import("./round.ts");
const { rounds } = await import("./rounds.ts");
const { replays, runReplay } = await import("./replays.ts");
const { checkTemporalBundle } = await import("./temporal-bundle.ts");

const failures: string[] = [];
const isWanted = ({ name }: { readonly name: string }): boolean =>
  wanted.length === 0 || wanted.includes(name);
for (const engine of engines.filter(isWanted)) {
  const missing = engine.server.missing();
  if (missing !== undefined) {
    failures.push(`${engine.name}: not run: ${missing}`);
    continue;
  }
  for (const round of rounds) {
    const report = await runRound(engine, round, operations, previousFolder);
    const { mistakes, ...figures } = report;
    console.log(`${engine.name} (${engine.settings})`, figures);
    for (const mistake of mistakes.slice(0, 20)) console.error(mistake);
    failures.push(...mistakes.map((mistake) => `${engine.name}, ${round.name}: ${mistake}`));
  }
}
for (const replay of replays.filter(isWanted)) failures.push(...(await runReplay(replay, 20)));
if (isWanted({ name: "temporal" })) failures.push(...(await checkTemporalBundle()));
console.log("service-bus, inngest: compiled, not run");
for (const failure of failures.slice(0, 50)) console.error(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
