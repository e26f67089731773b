import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

/** Every example of a docstring, by the file that it is in. */
const examples = globSync("src/**/*.ts").flatMap((file) => {
  const blocks = readFileSync(file, "utf8").matchAll(/@example\s+\* ```ts\n([\s\S]*?)\* ```/g);
  return Array.from(blocks, ([, lines = ""]) => ({ file, code: lines.replaceAll(/^\s*\* ?/gm, "") }));
});

/** What an example may take for granted. */
const given = `
import { readFile, writeFile } from "node:fs/promises";
import type { Pipeline } from "@azure/core-rest-pipeline";
import { DefaultAzureCredential } from "@azure/identity";
import * as library from "lro-poller";
import * as arm from "lro-poller/arm";
import * as durable from "lro-poller/durable";
import type { ExecuteSql, StepState } from "lro-poller/durable";
import * as kit from "lro-poller/testing";
import type { Pool } from "pg";
const { createPaceTable, createStepper, firstState, resultOf, sqlPace } = durable;
const { LroClient, OperationFailedError, OperationStatusesClient, createPoller, createPollerGroup, durationHistory, exponential, fromPollerLike, pollAll, pollUntilDone, startOperation } = library;
const { deployment, failedPartsOf, startDeployment, validateDeployment } = arm;
const { createVirtualClock, emulateDeployments, scriptedOperation, startOperationServer } = kit;
declare const [endpoint, operationId, url, asyncOperationUrl, resourceId]: [string, string, string, string, string];
declare const operationIds: string[];
declare const operationLocation: string;
declare const credential: DefaultAzureCredential;
declare const pool: Pool;
declare const state: StepState;
declare function saveAndDelay(state: StepState, delayInMs: number): Promise<void>;
declare const outcome: object;
declare const newDeployment: arm.NewDeployment;
declare const error: unknown;
declare const response: Response;
declare const pipeline: Pipeline;
declare const azurePoller: library.AzurePoller<unknown>;
declare const client: library.OperationStatusesClient;
declare const poller: library.Poller;
declare const operation: library.Operation;
export const used = [readFile, writeFile, DefaultAzureCredential, endpoint, operationId, url, asyncOperationUrl, resourceId, LroClient, operationIds, response, pipeline, azurePoller, client, poller, operation];
`;

test("the names that users type most have an example each, which the compiler passes", async () => {
  expect(examples.length).toBeGreaterThanOrEqual(15);
  const folder = mkdtempSync(join(import.meta.dirname, "examples-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  examples.forEach(({ code }, index) => {
    // In a block of its own an example may declare what others take for granted.
    writeFileSync(join(folder, `example-${index}.ts`), `${given}\n{\n${code}\n}\n`);
  });
  const compilerOptions = { noUnusedLocals: false };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"], compilerOptions }),
  );
  const compiler = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
  const result = await promisify(execFile)(process.execPath, [compiler, "-p", folder]).catch(
    (error: unknown) => error,
  );
  expect(result).toMatchObject({ stdout: "", stderr: "" });
});
