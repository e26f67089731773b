import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { durationHistory } from "lro-poller";
import type { DurationHistory, DurationHistoryOptions, DurationStore } from "lro-poller";

/** A store in memory. */
export class MemoryStore implements DurationStore {
  text: string | undefined;
  /** The error of all calls from now on. */
  error: Error | undefined;

  constructor(text?: string) {
    this.text = text;
  }

  read(): Promise<string | undefined> {
    return this.error ? Promise.reject(this.error) : Promise.resolve(this.text);
  }

  write(text: string): Promise<void> {
    if (this.error) return Promise.reject(this.error);
    this.text = text;
    return Promise.resolve();
  }
}

/** Creates a history, and collects its warnings. */
export function historyWithWarnings(
  pathOrStore: string | DurationStore = new MemoryStore(),
  options: DurationHistoryOptions = {},
): { readonly history: DurationHistory; readonly warnings: string[] } {
  const warnings: string[] = [];
  const onWarning = (message: string): unknown => warnings.push(message);
  return { history: durationHistory(pathOrStore, { onWarning, ...options }), warnings };
}

/** Creates a folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lro-history-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
