import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOperationServer } from "lro-poller/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { seeded } from "../../../bench/schedule/random.ts";
import { killOnce } from "./killed-process.ts";
import type { KilledStyle, Trial } from "./killed-process.ts";

/** `npm run test:kill` does more. */
const kills = Number(process.env["KILLS"] ?? 10);
const seed = Number(process.env["SEED"] ?? 20_250_201);
/** They sleep most of the time; but where all start at once, each does so for longer than any Retry-After. */
const atOnce = Math.min(20, Math.max(4, kills / 10));

vi.setConfig({ testTimeout: 600_000 });

test.each<KilledStyle>(["devcenter", "arm"])(
  `${kills} waits for %s, each killed at a random moment, continue in another process to the right outcome`,
  async (style) => {
    await using server = await startOperationServer({ style });
    const folder = mkdtempSync(join(tmpdir(), "kills-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const startedAt = performance.now();
    const numbers = Array.from({ length: kills }, (_, index) => index).values();
    const trials: Trial[] = [];
    const work = async (): Promise<void> => {
      for (const number of numbers) {
        trials.push(await killOnce(server, style, folder, `trial-${number}`, seeded(seed + number)));
      }
    };
    await Promise.all(Array.from({ length: Math.floor(atOnce) }, work));

    const count = (has: (trial: Trial) => boolean): number => trials.filter(has).length;
    const sum = (of: (trial: Trial) => number): number =>
      trials.reduce((total, trial) => total + of(trial), 0);
    const throttled = count(({ wasThrottled }) => wasThrottled);
    const unsaved = sum((trial) => trial.unsaved);
    console.log(
      `${style}, seed ${seed}: ${trials.length} kills in ${Math.round((performance.now() - startedAt) / 1000)} s; ` +
        `${count(({ mistakes }) => mistakes.length === 0)} right; ${server.requests.length} polls, ` +
        `${sum(({ holds }) => holds)} with Retry-After; ${count(({ hadToken }) => !hadToken)} killed before ` +
        `the first token; ${throttled} resumed within a Retry-After; ${unsaved} responses lost with ` +
        "their process",
    );
    expect(trials).toHaveLength(kills);
    expect(trials.flatMap(({ mistakes }) => mistakes)).toEqual([]);
    // Of many, some have to have been killed within a Retry-After, else nothing was tried; and few between a response and
    // its saving, else not everything is saved.
    expect(throttled).toBeGreaterThanOrEqual(Math.floor(kills / 20));
    expect(unsaved).toBeLessThan(Math.max(5, kills / 4));
  },
);
