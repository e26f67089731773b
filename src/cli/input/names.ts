/** A text from the command line, and the user's name for its operation. */
export interface NamedText {
  readonly name: string | undefined;
  readonly text: string;
}

// A name has no colon or slash, so that no URL and no path starts with one.
const namedText = /^([\p{L}\p{N}_. -]+)=((?:https?:|\{|\/(?:subscriptions|providers)\/).*)$/isu;

/** Splits `name=https://…`, `name=/subscriptions/…` and `name={…}`; any other text has no name. */
export function parseNamed(argument: string): NamedText {
  const [, name, text = argument] = namedText.exec(argument) ?? [];
  return { name: name?.trim(), text };
}

/** The id of an operation, the user's name for it, and how it is polled. */
export interface OperationName {
  /** Whether it is a deployment with its parts, whose id is a name that people have given. Default false. */
  readonly isDeployment?: boolean;
  readonly id: string;
  readonly name?: string | undefined;
  /** Whether requests carry a token. Default: they do. */
  readonly sendsToken?: boolean;
}

/** Returns the text that stands for an operation: its name, or its id. */
export function labelOf({ id, name }: OperationName): string {
  return name ?? id;
}

/** Adds the user's name to the operation's id in a text. */
export function namedIn(text: string, operation: OperationName | undefined): string {
  if (operation?.name === undefined) return text;
  const { id, name } = operation;
  return text.replace(id, () => `${name} (${id})`);
}
