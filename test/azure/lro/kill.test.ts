import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOperationStatusServer } from "lro-poller/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { seeded } from "../../../bench/schedule/random.ts";
import { killOnce } from "./killed-process.ts";
import type { Trial } from "./killed-process.ts";

/** `npm run test:kill` asks for more. */
const kills = Number(process.env["KILLS"] ?? 10);
const seed = Number(process.env["SEED"] ?? 20_250_201);
/** They sleep most of the time; but where all start at once, each does so for longer than any Retry-After. */
const atOnce = Math.min(20, Math.max(4, kills / 10));

vi.setConfig({ testTimeout: 600_000 });

test(`${kills} waits, each killed at a random moment, go on in another process to the right end`, async () => {
  await using server = await startOperationStatusServer();
  const folder = mkdtempSync(join(tmpdir(), "kills-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const startedAt = performance.now();
  const numbers = Array.from({ length: kills }, (_, index) => index).values();
  const trials: Trial[] = [];
  const work = async (): Promise<void> => {
    for (const number of numbers) {
      trials.push(await killOnce(server, folder, `trial-${number}`, seeded(seed + number)));
    }
  };
  await Promise.all(Array.from({ length: Math.floor(atOnce) }, work));

  const count = (has: (trial: Trial) => boolean): number => trials.filter(has).length;
  const sum = (of: (trial: Trial) => number): number => trials.reduce((total, trial) => total + of(trial), 0);
  const heldBack = count(({ wasHeld }) => wasHeld);
  const unheard = sum((trial) => trial.unheard);
  console.log(
    `seed ${seed}: ${trials.length} kills in ${Math.round((performance.now() - startedAt) / 1000)} s; ` +
      `${count(({ mistakes }) => mistakes.length === 0)} right; ${server.requests.length} reads, ` +
      `${sum(({ holds }) => holds)} answered with Retry-After; ${count(({ hadToken }) => !hadToken)} killed before ` +
      `the first token; ${heldBack} resumed within a Retry-After; ${unheard} answers lost with ` +
      "their process",
  );
  expect(trials).toHaveLength(kills);
  expect(trials.flatMap(({ mistakes }) => mistakes)).toEqual([]);
  // Of many, some have to have been killed within a Retry-After, else nothing was tried; and few between an answer and
  // its saving, else not everything is saved.
  expect(heldBack).toBeGreaterThanOrEqual(Math.floor(kills / 20));
  expect(unheard).toBeLessThan(Math.max(5, kills / 4));
});
