import { scenarios } from "./scenarios.ts";
import type { Host } from "./scenarios.ts";

/** The start of the line with a runtime's report. */
export const reportMark = "report: ";

/** The result of each scenario: `null` if it passed, or the reason why not. */
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

/** Returns the emulators as a host that is controlled over HTTP. */
export function hostAt(
  control: string,
  { endpoint, armEndpoint, hidesHeaders }: Pick<Host, "endpoint" | "armEndpoint" | "hidesHeaders">,
): Host {
  const post = async (path: string, body: unknown): Promise<Response> => {
    const response = await fetch(control + path, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}: ${await response.text()}`);
    return response;
  };
  return {
    endpoint,
    armEndpoint,
    hidesHeaders,
    add: async (options) => (await post("/add", options)).text(),
    arrivals: async (operationLocation) => {
      const arrivals: number[] = await (await post("/arrivals", operationLocation)).json();
      return arrivals;
    },
  };
}

/** @throws Error with the output if it has no report */
export function reportIn(output: string): Report {
  const line = output.split("\n").find((text) => text.startsWith(reportMark));
  if (line === undefined) throw new Error(`no report in: ${output}`);
  const report: Report = JSON.parse(line.slice(reportMark.length));
  return report;
}
