import type { WorkerOptions } from "./messages.ts";

/** The options of this worker process. */
export const workerOptions: WorkerOptions = JSON.parse(process.env["WORKER"] ?? "");
