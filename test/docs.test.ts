import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as library from "lro-poller";
import type { PollOptions } from "lro-poller";

/** The words in code type that the first cells of a page's rows begin with. */
function firstCells(page: string, heading: string): string[] {
  const section =
    readFileSync(page, "utf8")
      .split(/^##+ /m)
      .find((text) => text.startsWith(heading)) ?? "";
  return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, word = ""]) => word);
}

/** Each option of a wait: the compiler refuses this list when one is missing. */
const pollOptions: Record<keyof Required<PollOptions>, string | undefined> = {
  abortSignal: undefined,
  onProgress: undefined,
  onFailedRead: undefined,
  timeoutInMs: undefined,
  requestTimeoutInMs: "src/options.ts",
  outageToleranceInMs: "src/options.ts",
  notFoundGraceInMs: "src/options.ts",
  maxRetryDelayInMs: "src/options.ts",
  pollCostInMs: "src/schedule/priced.ts",
  minDelayInMs: "src/schedule/priced.ts",
  maxDelayInMs: "src/schedule/priced.ts",
  pastDurationsInMs: undefined,
  schedule: undefined,
  tracingOptions: undefined,
  clock: undefined,
  random: undefined,
};

describe("the page of options", () => {
  test("has a row for each option of a wait", () => {
    expect(firstCells("docs/options.md", "A wait")).toEqual(Object.keys(pollOptions));
  });

  const withNumbers = Object.entries(pollOptions).filter(([, file]) => file !== undefined);
  test.each(withNumbers)("has the default of %s", (name, file = "") => {
    const inCode = new RegExp(`\\b${name} = ([\\d_]+)`).exec(readFileSync(file, "utf8"))?.[1];
    const inPage = new RegExp(`^\\| \`${name}\` \\| ([\\d ]+) \\|`, "m").exec(
      readFileSync("docs/options.md", "utf8"),
    )?.[1];
    expect(inPage?.replaceAll(" ", "")).toBe(inCode?.replaceAll("_", ""));
  });
});

describe("the page of errors", () => {
  test("has a row for each class", () => {
    const classes = Object.keys(library).filter((name) => name.endsWith("Error") && name !== "LroError");
    expect(firstCells("docs/errors.md", "# Errors").toSorted()).toEqual(classes.toSorted());
  });

  test("has no code that the library does not give", () => {
    const files = globSync(["src/*.ts", "src/azure/*.ts"]);
    const source = files.map((file) => readFileSync(file, "utf8")).join("\n");
    const codes = firstCells("docs/errors.md", "Codes");
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => !source.includes(`"${code}"`))).toEqual([]);
  });
});
