import type { ErrorResponder, WireResponse } from "./responses.ts";

/** The api-versions that a service accepts. */
export interface ApiVersionRule {
  readonly pattern: RegExp;
  /** Default: all that match the pattern. */
  readonly supported?: readonly string[];
  /** The code of the error for any other version. */
  readonly code: "UnsupportedApiVersionValue" | "InvalidApiVersionParameter";
}

const datePattern = /^(201[4-9]|20[2-9]\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(-preview)?$/;

/** The versions of a service that follows Azure's REST guidelines. */
export const dataPlaneVersions: ApiVersionRule = { pattern: datePattern, code: "UnsupportedApiVersionValue" };

/** The versions of Azure Resource Manager. */
export const armVersions: ApiVersionRule = { pattern: datePattern, code: "InvalidApiVersionParameter" };

/** The versions of Key Vault: dates since 2025. */
export const keyVaultVersions: ApiVersionRule = {
  pattern: /^(7\.\d|20(2[5-9]|[3-9]\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(-preview)?)$/,
  code: "UnsupportedApiVersionValue",
};

/** The versions of DevCenter. */
export const devCenterVersions: ApiVersionRule = {
  ...dataPlaneVersions,
  supported: [
    "2023-04-01",
    "2024-02-01",
    "2024-05-01-preview",
    "2024-08-01-preview",
    "2024-09-01-preview",
    "2024-10-01-preview",
    "2025-02-01",
    "2025-04-01-preview",
    "2025-07-01-preview",
    "2025-08-01-preview",
    "2026-01-01-preview",
  ],
};

/** Returns the 400 for a request without an api-version that the service accepts. */
export function invalidApiVersion(
  { pattern, supported = [], code }: ApiVersionRule,
  { searchParams }: URL,
  errorResponse: ErrorResponder,
): WireResponse | undefined {
  const version = searchParams.get("api-version") ?? "";
  const target = "api-version";
  if (version === "") {
    const message = "The api-version query parameter (?api-version=) is required for all requests.";
    return errorResponse(400, "MissingApiVersionParameter", message, { target });
  }
  if (supported.length > 0 ? supported.includes(version) : pattern.test(version)) return undefined;
  const advice =
    supported.length > 0 ? `The supported api-versions are '${supported.join(", ")}'.` : "Expected a date.";
  return errorResponse(400, code, `Unsupported api-version '${version}'. ${advice}`, { target });
}
