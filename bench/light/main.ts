// Measures the time of an import, and the CPU time of a start of the command, against what they build on. Processes take
// turns, so that other load on the machine affects all alike.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "../median.ts";

const rounds = 25;
const lro = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** A program, and the figure that it prints last: its own time in milliseconds. */
interface Measured {
  readonly name: string;
  readonly argv: readonly string[];
}

const importing = (name: string): Measured => ({
  name: `import ${name}`,
  argv: ["--input-type=module", "--eval", `const t = performance.now(); await import("${name}"); ${printed}`],
});
const printed = "console.log(performance.now() - t);";

/** Prints the CPU time of the whole process, its start included. */
const printCpuTime = `data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();console.log((user+system)/1000)})`;
const starting = (name: string, ...argv: readonly string[]): Measured => ({
  name,
  argv: ["--import", printCpuTime, ...argv],
});

measure("Import, ms", [importing("@azure/core-rest-pipeline"), importing("lro-poller")]);
measure("Start of the command, ms of CPU", [
  starting("bare Node", "--eval", "0"),
  starting("lro --version", lro, "--version"),
  starting("lro --help", lro, "--help"),
  starting("lro completion bash", lro, "completion", "bash"),
]);

function measure(title: string, programs: readonly Measured[]): void {
  const times = new Map(programs.map((program) => [program, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [program, list] of times) list.push(timeOf(program));
  }
  const medians = programs.map((program) => median(times.get(program) ?? []));
  const [base = NaN] = medians;
  console.log(`\n${title}`);
  console.table(
    programs.map(({ name }, i) => {
      const value = medians[i] ?? NaN;
      return { name, median: value.toFixed(1), ratio: (value / base).toFixed(2) };
    }),
  );
}

function timeOf({ argv }: Measured): number {
  const output = execFileSync(process.execPath, argv, { encoding: "utf8" });
  return Number(output.trimEnd().split("\n").at(-1));
}
