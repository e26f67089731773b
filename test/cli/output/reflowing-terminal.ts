import { Writable } from "node:stream";
import type { Output } from "../../../src/cli/input/context.ts";

/** A row of the screen, and whether it continues in the next one. */
interface Row {
  readonly text: string;
  readonly isWrapped: boolean;
}

const escape = "\u001B";
const sequence = new RegExp(String.raw`${escape}\[(\??[\d;]*)([A-Za-z])|\n|[^${escape}\n]+`, "g");

/** A terminal that wraps its lines again when its width changes, as most do. It supports what log-update sends. */
export class ReflowingTerminal extends Writable implements Output {
  readonly isTTY = true;
  rows = 24;
  columns: number;
  #rows: Row[] = [{ text: "", isWrapped: false }];
  #row = 0;
  #column = 0;

  constructor(columns: number) {
    super();
    this.columns = columns;
  }

  /** The shown text, without the empty lines at its end. */
  get screen(): string {
    return this.#rows
      .map(({ text }) => text.trimEnd())
      .join("\n")
      .trimEnd();
  }

  /** Only with the cursor at the start of a line. */
  resize(columns: number): void {
    this.columns = columns;
    const below = this.#wrap(this.#rows.slice(this.#row));
    this.#rows = this.#wrap(this.#rows.slice(0, this.#row));
    this.#row = this.#rows.length;
    this.#rows.push(...below);
    this.emit("resize");
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const [text, count = "", command] of chunk.toString().matchAll(sequence)) {
      if (text === "\n") this.#moveTo(this.#row + 1);
      else if (command === undefined) this.#print(text);
      else this.#execute(command, Number(count) || 1);
    }
    done();
  }

  #execute(command: string, count: number): void {
    if (command === "A") this.#row = Math.max(0, this.#row - count);
    if (command === "B") this.#moveTo(this.#row + count);
    if (command === "G") this.#column = 0;
    if (command === "K") this.#put(count === 2 ? "" : this.#before());
  }

  #print(text: string): void {
    this.#put(this.#before() + text + (this.#rows[this.#row]?.text ?? "").slice(this.#column + text.length));
    this.#column += text.length;
  }

  #before(): string {
    return (this.#rows[this.#row]?.text ?? "").slice(0, this.#column).padEnd(this.#column);
  }

  #put(text: string): void {
    this.#rows[this.#row] = { text, isWrapped: false };
  }

  #moveTo(row: number): void {
    this.#row = row;
    this.#column = 0;
    while (this.#rows.length <= row) this.#rows.push({ text: "", isWrapped: false });
  }

  #wrap(rows: readonly Row[]): Row[] {
    const lines = [""];
    for (const { text, isWrapped } of rows) {
      lines.push((lines.pop() ?? "") + text);
      if (!isWrapped) lines.push("");
    }
    return lines.slice(0, -1).flatMap((line) => {
      const starts = Array.from(
        { length: Math.max(1, Math.ceil(line.length / this.columns)) },
        (_, at) => at,
      );
      return starts.map((at) => ({
        text: line.slice(at * this.columns, (at + 1) * this.columns),
        isWrapped: at < starts.length - 1,
      }));
    });
  }
}
