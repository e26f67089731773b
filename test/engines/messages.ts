/** The moments at which a worker is killed. */
export const killMoments = ["at a random moment", "in a step", "after the poll", "all at once"] as const;
export type KillMoment = (typeof killMoments)[number];

/** A moment that the worker itself waits for: it stops there, and says so. */
export type HeldMoment = Extract<KillMoment, "in a step" | "after the poll">;

/** What the kit tells a worker. */
export interface ToWorker {
  readonly holdAt: HeldMoment;
}

/** What a worker tells the kit. */
export type FromWorker =
  | { readonly type: "started" }
  | { readonly type: "held" }
  /** A step took over the state of another release. */
  | { readonly type: "handedOver"; readonly from: string; readonly to: string }
  /** The step did something that it must not do. */
  | { readonly type: "wrong"; readonly text: string };

/** How a worker is started, as JSON in `WORKER`. */
export interface WorkerOptions {
  readonly engine: string;
  readonly connection: string;
  readonly folder: string;
  readonly slot: string;
  readonly endpoint: string;
  readonly clockOffByInMs: number;
  readonly release: "previous" | "this" | "next";
  /** The folder of the previous release. */
  readonly previousFolder: string;
  readonly delivers: "once" | "twice";
}
