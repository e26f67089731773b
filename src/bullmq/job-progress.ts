import { parseState } from "../operation/parse-status.ts";
import type { Progress } from "../state/progress.ts";
import {
  invalidField,
  parseCount,
  parseFields,
  parseNumber,
  parseOptionalNumber,
} from "../operation/json-fields.ts";
import { parseStatus } from "./job-result.ts";

const names = [
  "status",
  "previousStatus",
  "changed",
  "percentComplete",
  "operation",
  "elapsedInMs",
  "estimatedRemainingInMs",
  "estimatedRemainingRangeInMs",
  "nextPollInMs",
  "pollCount",
  "failedPollCount",
];

/**
 * Parses the progress that a worker has told.
 *
 * @throws {@link ContractError} that names the field
 */
export function parseProgress<P>(value: unknown): Progress<P> {
  const path = "job.progress";
  const fields = parseFields(value, path, names);
  const { previousStatus } = fields;
  const numberAt = (name: string): number | undefined => parseOptionalNumber(fields[name], `${path}.${name}`);
  return {
    status: parseState(fields["status"], `${path}.status`),
    previousStatus:
      previousStatus === undefined ? undefined : parseState(previousStatus, `${path}.previousStatus`),
    changed: fields["changed"] === true,
    percentComplete: numberAt("percentComplete"),
    operation: parseStatus<P>(fields["operation"], `${path}.operation`),
    elapsedInMs: parseNumber(fields["elapsedInMs"], `${path}.elapsedInMs`),
    estimatedRemainingInMs: numberAt("estimatedRemainingInMs"),
    estimatedRemainingRangeInMs: parseRange(fields["estimatedRemainingRangeInMs"], `${path}.range`),
    nextPollInMs: numberAt("nextPollInMs"),
    pollCount: parseCount(fields["pollCount"], `${path}.pollCount`),
    failedPollCount: parseCount(fields["failedPollCount"], `${path}.failedPollCount`),
  };
}

function parseRange(value: unknown, path: string): readonly [number, number] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length !== 2) throw invalidField(path, "two numbers", value);
  const [least, most]: unknown[] = value;
  return [parseNumber(least, path), parseNumber(most, path)];
}
