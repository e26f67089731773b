import type { OperationStatus } from "../operation/status.ts";
import { describeValue } from "../redaction.ts";
import { signOfEnd } from "../state/sign-of-end.ts";

/** A text about a status for the log. It is logged once, because a service repeats its cause with each response. */
interface Notice {
  readonly level: "warning" | "info";
  readonly key: string;
  readonly message: string;
}

/**
 * Returns what the log should say about a status besides its state, each key once; adds the keys to `logged`. Most waits
 * have no notice: the set is made for the first one.
 */
export function newNoticesOf(status: OperationStatus, logged: () => Set<string>): readonly Notice[] {
  return noticesOf(status).filter(({ key }) => {
    const keys = logged();
    if (keys.has(key) || keys.size >= maxNotices) return false;
    keys.add(key);
    return true;
  });
}

function noticesOf(status: OperationStatus): readonly Notice[] {
  const sign = signOfEnd(status);
  const { status: word, invalidFields } = status;
  const notices: Notice[] = [];
  if (sign !== undefined) {
    const message = `${word} came with ${sign}: if it is terminal, add it to terminalStates.`;
    notices.push({ level: "warning", key: `state ${word}`, message });
  }
  if (invalidFields) {
    const fields = Object.entries(invalidFields).map(([name, value]) => `${name} is ${describeValue(value)}`);
    const message = `fields that could not be read: ${fields.join(", ")}.`;
    notices.push({ level: "info", key: `fields ${Object.keys(invalidFields).join()}`, message });
  }
  return notices;
}

/** A service that sends a new word with each response must not fill the memory, nor the log. */
const maxNotices = 50;
