import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A checkout of this project with its packages, which is built. */
export interface Checkout {
  readonly name: "before" | "now";
  readonly folder: string;
}

/** Runs a program in a checkout, and returns what it printed. */
export async function outputOf(
  { folder }: Checkout,
  program: string,
  ...argv: readonly string[]
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, argv, { cwd: folder, maxBuffer: 2 ** 26 });
  return stdout;
}

export type Figures = Readonly<Record<string, number>>;

/** Measures all checkouts in turn, so often, and prints the figures of all rounds. */
export async function printInTurn(
  title: string,
  checkouts: readonly Checkout[],
  rounds: number,
  measure: (checkout: Checkout) => Promise<Figures>,
): Promise<void> {
  const rows = new Map<string, Record<string, string>>();
  for (let round = 0; round < rounds; round++) {
    for (const checkout of checkouts) {
      for (const [name, figure] of Object.entries(await measure(checkout))) {
        const row = rows.get(name) ?? {};
        rows.set(name, row);
        const earlier = row[checkout.name];
        const text = String(Number(figure.toFixed(2)));
        row[checkout.name] = earlier === undefined ? text : `${earlier}, ${text}`;
      }
    }
  }
  console.log(`\n${title}`);
  console.table(Object.fromEntries(rows));
}
