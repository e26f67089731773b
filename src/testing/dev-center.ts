import { randomUUID } from "node:crypto";
import type { DataPlane } from "./data-plane.ts";
import { errorResponse, statusId, statusUrl } from "./styles/responses.ts";
import { respondTo } from "./routes.ts";
import type { AddOperationOptions, AddedOperation, Service } from "./service.ts";
import { checkPattern, projectNamePattern } from "./validation.ts";

/** The data plane of DevCenter. */
export const devCenter: Service = {
  respondTo,
  addOperation,
  commonHeaders: ({ headers }) => ({ ...headers, "access-control-expose-headers": exposedHeaders }),
  errorResponse,
  challenge: 'Bearer realm=""',
  needsToken: false,
};

const exposedHeaders = "Location,Operation-Location,x-ms-correlation-request-id,x-ms-client-request-id";

function addOperation(
  plane: DataPlane,
  origin: string,
  { projectName = "myProject", operationId = randomUUID(), ...plan }: AddOperationOptions,
): AddedOperation {
  checkPattern("projectName", projectName, projectNamePattern);
  const { id } = plane.add(statusId(projectName, operationId), operationId, plan);
  return { operationId, projectName, operationLocation: statusUrl(origin, id, "2025-02-01") };
}
