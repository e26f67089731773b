import { scenarios } from "./scenarios.ts";
import type { Host } from "./scenarios.ts";

/** Begins the line that a runtime's report is on. */
export const reportMark = "report: ";

/** What became of each scenario: `undefined` where it passed, else why not. */
export type Report = Readonly<Record<string, string | null>>;

/** Runs every scenario, one after the other, and prints the report. */
export async function printReport(host: Host, more: typeof scenarios = {}): Promise<void> {
  const report: Record<string, string | null> = {};
  for (const [name, scenario] of Object.entries({ ...scenarios, ...more })) {
    report[name] = await scenario(host).then(() => null, textOf);
    console.log(name);
  }
  console.log(reportMark + JSON.stringify(report));
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The way to the emulator from where only HTTP leads there. */
export function hostAt(control: string, endpoint: string, hidesHeaders: boolean): Host {
  const ask = async (path: string, body: unknown): Promise<Response> => {
    const response = await fetch(control + path, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}: ${await response.text()}`);
    return response;
  };
  return {
    endpoint,
    hidesHeaders,
    add: async (options) => (await ask("/add", options)).text(),
    arrivals: async (operationLocation) => {
      const arrivals: number[] = await (await ask("/arrivals", operationLocation)).json();
      return arrivals;
    },
  };
}

/** @throws Error that shows what was printed, when no report was */
export function reportIn(output: string): Report {
  const line = output.split("\n").find((text) => text.startsWith(reportMark));
  if (line === undefined) throw new Error(`no report in: ${output}`);
  const report: Report = JSON.parse(line.slice(reportMark.length));
  return report;
}
