import { fork } from "node:child_process";
import { once } from "node:events";

/** Starts the server, whose operations succeed after the given number of polls. It ends with this process. */
export async function startServer(
  polls: number,
): Promise<{ readonly origin: string; readonly stop: () => void }> {
  const child = fork(new URL("server.ts", import.meta.url), [String(polls)]);
  const [port] = (await once(child, "message")) as [number];
  return { origin: `http://127.0.0.1:${port}`, stop: () => child.disconnect() };
}
