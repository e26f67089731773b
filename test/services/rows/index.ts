import type { Row } from "../row.ts";
import { azureAsyncOperationRows } from "./azure-async-operation.ts";
import { deleteRows } from "./delete.ts";
import { errorRows } from "./errors.ts";
import { getRows } from "./get.ts";
import { locationRows } from "./location.ts";
import { operationLocationRows } from "./operation-location.ts";
import { resourceRows } from "./resource.ts";

export const families: readonly (readonly [family: string, rows: readonly Row[]])[] = [
  ["Azure-AsyncOperation", azureAsyncOperationRows],
  ["Operation-Location", operationLocationRows],
  ["Location", locationRows],
  ["the resource", resourceRows],
  ["GET", getRows],
  ["DELETE and 404", deleteRows],
  ["errors", errorRows],
];

export const rows: readonly Row[] = families.flatMap(([, family]) => family);
