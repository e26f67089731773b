/** Text from the command line, and what the user calls the operation that it is about. */
export interface NamedText {
  readonly name: string | undefined;
  readonly text: string;
}

// A name has no colon or slash, so that no URL and no path begins with one.
const namedText = /^([\p{L}\p{N}_. -]+)=((?:https?:|\{).*)$/isu;

/** Parts `name=https://…` and `name={…}`; anything else has no name. */
export function parseNamed(argument: string): NamedText {
  const [, name, text = argument] = namedText.exec(argument) ?? [];
  return { name: name?.trim(), text };
}

/** What operations go by. */
export interface OperationName {
  readonly id: string;
  /** What the user calls it. */
  readonly name?: string | undefined;
}

/** What an operation is shown as. */
export function labelOf({ id, name }: OperationName): string {
  return name ?? id;
}

/** Puts the user's name for the operation before its id. */
export function namedIn(text: string, operation: OperationName | undefined): string {
  if (operation?.name === undefined) return text;
  const { id, name } = operation;
  return text.replace(id, () => `${name} (${id})`);
}
