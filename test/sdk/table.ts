import { generations } from "./client.ts";
import type { SdkClient } from "./client.ts";
import { clients } from "./clients.ts";
import { findingsOf } from "./outcomes.ts";
import type { Finding } from "./outcomes.ts";
import { isScenarioName, scenarios } from "./scenarios.ts";
import type { ScenarioName } from "./scenarios.ts";

const [uneventful = [], names = []] = [true, false].map((isOk) =>
  Object.keys(scenarios)
    .filter(isScenarioName)
    .filter((name) => clients.every((client) => isAllOk(client, name)) === isOk),
);

function isAllOk(client: SdkClient, name: ScenarioName): boolean {
  return findingsOf(client, name).every(({ outcome }) => outcome === "ok");
}

/** Renders the outcomes of all clients as Markdown: a table, and a list of what is not ok. */
export function renderOutcomes(): string {
  const notes: Finding[] = [];
  const signOf = (finding: Finding): string => {
    if (finding.outcome === "ok") return "✓";
    if (!notes.includes(finding)) notes.push(finding);
    return String(notes.indexOf(finding) + 1);
  };
  const rows = Object.entries(generations).flatMap(([generation, title]) => [
    [`**${title}**`, ...names.map(() => "")],
    ...clients
      .filter((client) => client.generation === generation)
      .map((client) => [
        nameOf(client),
        ...names.map((name) => findingsOf(client, name).map(signOf).join(" ") || "–"),
      ]),
  ]);
  const table = tableOf(["Client", ...names.map((name) => scenarios[name].title)], rows);
  const reasons = notes.map(({ outcome, reason = "" }, index) => [String(index + 1), words[outcome], reason]);
  const alwaysOk = uneventful.map((name) => `"${scenarios[name].title}"`).join(" and ");
  return `All are ✓ for ${alwaysOk}.\n\n${table}\n\n${tableOf(["Number", "Outcome", "Reason"], reasons)}`;
}

function nameOf({ name, method }: SdkClient): string {
  return `\`${name}\`: \`${method}\``;
}

const words = {
  ok: "Ok",
  fails: "The wait rejects, although the operation continues.",
  hangs: "The wait never ends.",
  "false success": "The wait resolves, although the operation has not succeeded.",
  "wrong result": "The result is not the service's.",
  early: "The wait polls before the end of `Retry-After`.",
  "no code": "The error has no code of the inner error.",
  "starts again": "The operation starts a second time.",
} as const satisfies Record<Finding["outcome"], string>;

function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return lines.toSpliced(1, 0, `|${header.map(() => "---|").join("")}`).join("\n");
}
