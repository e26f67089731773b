import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { durationHistory } from "lro-poller";
import type { DurationHistory, DurationHistoryOptions, DurationStore } from "lro-poller";

/** A store in memory, and what it was given. */
export class MemoryStore implements DurationStore {
  text: string | undefined;
  /** Thrown by whatever comes next. */
  trouble: Error | undefined;

  constructor(text?: string) {
    this.text = text;
  }

  read(): Promise<string | undefined> {
    return this.trouble ? Promise.reject(this.trouble) : Promise.resolve(this.text);
  }

  write(text: string): Promise<void> {
    if (this.trouble) return Promise.reject(this.trouble);
    this.text = text;
    return Promise.resolve();
  }
}

/** A history, and its warnings. */
export function historyWithWarnings(
  pathOrStore: string | DurationStore = new MemoryStore(),
  options: DurationHistoryOptions = {},
): { readonly history: DurationHistory; readonly warnings: string[] } {
  const warnings: string[] = [];
  const onWarning = (message: string): unknown => warnings.push(message);
  return { history: durationHistory(pathOrStore, { onWarning, ...options }), warnings };
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lro-history-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
