import { parseOutcome } from "./step-outcome.ts";

export type { StepOutcome } from "./step-outcome.ts";

/**
 * Returns the result of an operation whose wait has ended, or throws its error: the same that `pollUntilDone` of a poller
 * resolves or rejects with. It needs no client and loads no transport, so that it runs in a workflow's sandbox.
 *
 * @param outcome - that of the last step, possibly after JSON
 * @throws the errors of `pollUntilDone`; `ContractError` that names the field if it is no outcome
 */
export function resultOf(outcome: unknown): unknown {
  const parsed = parseOutcome(outcome);
  if (parsed.type === "succeeded") return parsed.result;
  throw parsed.error;
}
