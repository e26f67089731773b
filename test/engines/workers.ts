import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { FromWorker, HeldMoment, KillMoment, ToWorker, WorkerOptions } from "./messages.ts";

/** How long a worker may take to reach the moment at which it is killed. */
const maxHoldInMs = 3000;

/** Longer than a lock of BullMQ's workers here, and the interval after which the others take over. */
const freezeInMs = 3500;

/** A process that was killed. */
export interface Kill {
  readonly pid: number;
  readonly moment: KillMoment;
  /** By `performance.now()` of the kit. */
  readonly at: number;
}

/** Worker processes, which are killed and started again. */
export class Workers implements AsyncDisposable {
  readonly kills: Kill[] = [];
  readonly handOvers: string[] = [];
  readonly wrong: string[] = [];
  readonly #optionsOf: (slot: number, start: number) => WorkerOptions;
  readonly #children: ChildProcess[] = [];
  #starts = 0;

  constructor(optionsOf: (slot: number, start: number) => WorkerOptions) {
    this.#optionsOf = optionsOf;
  }

  async start(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, slot) => this.#start(slot)));
  }

  /** Kills a worker at this moment, and starts another in its place. */
  async kill(slot: number, moment: KillMoment): Promise<void> {
    const slots = moment === "all at once" ? [...this.#children.keys()] : [slot];
    for (const each of slots) await this.#end(each, moment);
    await Promise.all(slots.map((each) => this.#start(each)));
  }

  /** Suspends a worker for longer than it may go without renewing its locks. */
  async freeze(slot: number): Promise<void> {
    this.#children[slot]?.kill("SIGSTOP");
    await delay(freezeInMs);
    this.#children[slot]?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map(end));
  }

  async #start(slot: number): Promise<void> {
    const child = fork(new URL("worker-process.ts", import.meta.url), [], {
      execArgv: ["--no-warnings", "--import", new URL("preload.ts", import.meta.url).href],
      env: { ...process.env, WORKER: JSON.stringify(this.#optionsOf(slot, this.#starts++)) },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#children[slot] = child;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.on("message", (message: FromWorker) => {
      if (message.type === "started") resolve();
      if (message.type === "handedOver") this.handOvers.push(`${message.from} to ${message.to}`);
      if (message.type === "wrong") this.wrong.push(message.text);
    });
    child.once("exit", (code) => reject(new Error(`a worker exited with ${code} before it had started`)));
    await promise;
  }

  async #end(slot: number, moment: KillMoment): Promise<void> {
    const child = this.#children[slot];
    if (child === undefined) return;
    const isHeld = moment === "in a step" || moment === "after the poll" ? await hold(child, moment) : true;
    const at = performance.now();
    await end(child);
    this.kills.push({ pid: child.pid ?? 0, moment: isHeld ? moment : "at a random moment", at });
  }
}

/** Lets a worker stop at this moment. Returns `false` if it did not come to it. */
async function hold(child: ChildProcess, holdAt: HeldMoment): Promise<boolean> {
  const held = new Promise<boolean>((resolve) => {
    child.on("message", ({ type }: FromWorker) => type === "held" && resolve(true));
    setTimeout(resolve, maxHoldInMs, false).unref();
  });
  const message: ToWorker = { holdAt };
  child.send(message);
  return held;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
