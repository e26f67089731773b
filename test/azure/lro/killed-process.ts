import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type {
  AddedOperation,
  Faults,
  OperationServer,
  OperationStyle,
  RecordedRequest,
} from "lro-poller/testing";
import { hooksFor } from "../../support/library.ts";
import type { Waits } from "./waiting-process.ts";

/** How to start a process that waits for an operation and saves its tokens. */
interface Program {
  readonly script: string;
  readonly envOf: (
    server: OperationServer,
    operation: AddedOperation,
    tokenFile: string,
  ) => Readonly<Record<string, string>>;
}

/** The script that does the waits of the variable `WAITS`. */
export const waitingProcess: string = scriptAt("waiting-process.ts");

/** The programs by the service that they wait for. */
const programs = {
  devcenter: {
    script: scriptAt("../../../examples/survive-a-crash.ts"),
    envOf: ({ endpoint }, { projectName, operationId }, tokenFile) => ({
      DEVCENTER_ENDPOINT: endpoint,
      DEVCENTER_PROJECT: projectName,
      DEVCENTER_OPERATION_ID: operationId,
      TOKEN_FILE: tokenFile,
    }),
  },
  arm: {
    script: waitingProcess,
    envOf: (_, { operationLocation: url }, tokenFile) => envOfWaits({ waits: [{ url, tokenFile }] }),
  },
} as const satisfies Partial<Record<OperationStyle, Program>>;

/** A service whose waits can be killed. */
export type KilledStyle = keyof typeof programs;

function scriptAt(path: string): string {
  return new URL(path, import.meta.url).pathname;
}

/** Returns the environment of `waiting-process.ts`. */
export function envOfWaits(waits: Waits): { readonly WAITS: string } {
  return { WAITS: JSON.stringify(waits) };
}

/** Lets a process run that library, and sign its requests with its number. */
const preload = `
  ${hooksFor(["index", "testing/index"])}
  import http from "node:http";
  import { syncBuiltinESMExports } from "node:module";
  const { request } = http;
  http.request = (options, ...more) =>
    request({ ...options, headers: { ...options.headers, "x-process": process.pid } }, ...more);
  syncBuiltinESMExports();
`;

/** The result of a trial; all that went wrong is in `mistakes`. */
export interface Trial {
  readonly mistakes: readonly string[];
  /** Whether there was a token to resume: the first moments of a process have none. */
  readonly hadToken: boolean;
  /** Whether a Retry-After that the killed process had received still ran when the next one started. */
  readonly wasThrottled: boolean;
  /** Responses that the killed process received, but did not save. */
  readonly unsaved: number;
  /** Responses with a Retry-After, those of 429 and 503 among them. */
  readonly holds: number;
}

/** How long every operation takes from its first poll on: no process can end before it is killed. */
const durationInMs = 2000;
/** Some are killed while they start. */
const startInMs = 300;

/** Starts a wait for a service of this style, kills its process at some moment, starts another one, and checks all requests. */
export async function killOnce(
  server: OperationServer,
  style: KilledStyle,
  folder: string,
  name: string,
  random: () => number,
): Promise<Trial> {
  const faults = faultsBy(random);
  const retryAfter = random() < 0.5 ? 3 : undefined;
  const operation = server.addOperation({
    timeline: [
      { status: "NotStarted", durationInMs: durationInMs * 0.1 },
      { status: "Running", durationInMs: durationInMs * 0.9, percentComplete: { from: 0, to: 90, step: 5 } },
      { status: "Succeeded", percentComplete: 100, properties: { name } },
    ],
    faults,
    startsAtFirstPoll: true,
    retryAfter: retryAfter ?? null,
  });
  const tokenFile = join(folder, `${name}.json`);
  const { script, envOf } = programs[style];
  const env = envOf(server, operation, tokenFile);
  const killed = startProcess(script, env);
  await randomMoment(tokenFile, random);
  killed.kill("SIGKILL");
  const signal = await endOf(killed);
  const token = tokenIn(tokenFile);
  const startedAt = performance.now();
  const next = startProcess(script, env);
  const [output, exitCode] = await Promise.all([outputOf(next), endOf(next)]);

  const requests = server.requests.filter(({ operationId }) => operationId === operation.operationId);
  const waitAfter = (request: RecordedRequest): number => retryAfterOf(request, faults, retryAfter);
  const before = requests.filter(isOf(killed));
  const after = requests.filter(isOf(next));
  const saved = before.slice(0, token?.pollCount ?? 0);
  const mistakes = [
    ...(signal === "SIGKILL" ? [] : [`the first process was not killed: ${String(signal)}`]),
    ...(exitCode === 0 && hasResult(output, name) ? [] : [`${String(exitCode)}, ${output}`]),
    ...(tokenIn(tokenFile) === undefined ? [] : ["the token is still there"]),
    ...(before.length + after.length === requests.length ? [] : ["there are requests of another process"]),
    ...tooEarly(before, waitAfter),
    ...tooEarly([...saved.slice(-1), ...after], waitAfter),
  ];
  const last = saved.at(-1);
  return {
    mistakes: mistakes.map((mistake) => `${name}: ${mistake}`),
    hadToken: token !== undefined,
    wasThrottled: last !== undefined && last.receivedAt + waitAfter(last) > startedAt,
    unsaved: before.length - saved.length,
    holds: requests.filter((request) => waitAfter(request) > 0).length,
  };
}

/** Counted from the first token on, however long a busy machine takes to start a process; or before it. */
async function randomMoment(tokenFile: string, random: () => number): Promise<void> {
  const moment = random() * (startInMs + durationInMs) - startInMs;
  if (moment < 0) return delay(-moment);
  while (!existsSync(tokenFile)) await delay(5);
  await delay(moment);
}

/** One poll in three fails, but never two in a row, because the backoff grows. */
function faultsBy(random: () => number): Faults {
  const first = random() < 0.5 ? 1 : 2;
  const polls = [0, 2, 4, 6].map((more) => first + more).filter(() => random() < 0.67);
  const fault = (): Faults[number] => {
    const status = random() < 0.5 ? 429 : 503;
    const inMs = { "retry-after-ms": String(Math.ceil(1000 + random() * 3000)) };
    return { kind: "status", status, ...(random() < 0.5 ? { retryAfter: 4 } : { headers: inMs }) };
  };
  return Object.fromEntries(polls.map((poll) => [poll, fault()]));
}

/** The Retry-After of the response to a request, in milliseconds; 0 if there is none. */
function retryAfterOf({ pollNumber = 0 }: RecordedRequest, faults: Faults, retryAfter = 0): number {
  const fault = faults[pollNumber];
  if (fault?.kind !== "status") return retryAfter * 1000;
  return Number(fault.headers?.["retry-after-ms"] ?? Number(fault.retryAfter) * 1000);
}

function tooEarly(
  requests: readonly RecordedRequest[],
  waitAfter: (request: RecordedRequest) => number,
): string[] {
  return requests.slice(1).flatMap((request, index) => {
    const previous = requests[index] ?? request;
    const missing = previous.receivedAt + waitAfter(previous) - request.receivedAt;
    return missing > 0 ? [`poll ${request.pollNumber} came ${missing} ms before its Retry-After`] : [];
  });
}

function isOf({ pid }: ChildProcess): (request: RecordedRequest) => boolean {
  return ({ headers }) => headers["x-process"] === String(pid);
}

/** Starts a script in a process of its own, which signs its requests with its number. */
export function startProcess(script: string, env: Readonly<Record<string, string>>): ChildProcess {
  const from = `data:text/javascript,${encodeURIComponent(preload)}`;
  return spawn(process.execPath, ["--no-warnings", "--import", from, script], {
    stdio: ["ignore", "pipe", "inherit"],
    env,
  });
}

/** Returns whether a process printed `{ name: 'trial-1' }`, or the same as JSON. */
function hasResult(output: string, name: string): boolean {
  return new RegExp(`\\bname\\W+${name}\\b`).test(output);
}

export async function outputOf({ stdout }: ChildProcess): Promise<string> {
  return stdout === null ? "" : text(stdout);
}

/** The exit code or the signal. */
export async function endOf(child: ChildProcess): Promise<unknown> {
  const [code, signal]: unknown[] = await once(child, "exit");
  return code ?? signal;
}

function tokenIn(file: string): { readonly pollCount: number } | undefined {
  try {
    const token: { readonly pollCount: number } = JSON.parse(readFileSync(file, "utf8"));
    return token;
  } catch (error) {
    // No file: it was killed before the first token, or has ended. Half a token would be a mistake.
    if (error instanceof SyntaxError) throw error;
    return undefined;
  }
}
