/** What Node's `util.inspect` looks for, and with it `console.log` and most logs. */
const inspectCustom = Symbol.for("nodejs.util.inspect.custom");

/**
 * Text without what URLs may carry in secret: their queries, in which Azure signs, and their users and passwords.
 * In time that grows with the text alone: a service may have written it.
 */
export function withoutUrlSecrets(text: string): string {
  return /[?@]/.test(text) ? text.replaceAll(/[^\s"'`<>]+/g, wordWithoutSecrets) : text;
}

function wordWithoutSecrets(word: string): string {
  const start = word.indexOf("?");
  const head = start === -1 ? word : word.slice(0, start);
  // A slash: a relative URL may be signed without an equals sign too.
  const isQuery = start !== -1 && (head.includes("/") || word.includes("=", start));
  const rest = isQuery ? `?…${endOfSentence(word)}` : word.slice(head.length);
  return head.replaceAll(/:\/\/[^/@]*@/g, "://…@") + rest;
}

function endOfSentence(word: string): string {
  return /[).,;:]*$/.exec(word.slice(-4))?.[0] ?? "";
}

/** One value of unknown form, for a message: without all that follows a `?`, because Azure signs URLs there. */
export function withoutQuery(value: string): string {
  return value.replace(/\?.*/s, "?…");
}

const longestValueShown = 60;

/** A value for a message: short, and without its query. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return value === null ? "null" : `a ${typeof value}`;
  const safe = withoutQuery(value);
  return JSON.stringify(safe.length > longestValueShown ? `${safe.slice(0, longestValueShown)}…` : safe);
}

/**
 * Lets the errors of a class be printed and turned into JSON without the secrets of the requests behind them. What
 * caused them stays what it was, for code; `util.inspect` shows its name, code, message and stack, and not its fields,
 * among which an HTTP client keeps the request with its token.
 */
export function hideSecretsOf({ prototype }: { readonly prototype: Error }): void {
  Object.defineProperty(prototype, inspectCustom, { value: inspected });
  Object.defineProperty(prototype, "toJSON", { value: toJson });
}

type Inspect = (value: unknown, options: object) => string;

function inspected(this: Error, depth: number | null, options: object, inspect: Inspect): string {
  if (depth !== null && depth < 0) return `[${this.name}]`;
  return withoutUrlSecrets(inspect(redactedCopyOf(this, new Map()), { ...options, depth }));
}

function toJson(this: Error): unknown {
  const text = JSON.stringify(Object.assign({}, this, { message: this.message }));
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === "string" ? withoutUrlSecrets(value) : value,
  );
}

/** What is printed in the place of something thrown. */
function redactedCopyOf(thrown: unknown, known: Map<object, Error>): unknown {
  if (typeof thrown !== "object" || thrown === null) return thrown;
  const copied = known.get(thrown);
  if (copied) return copied;
  // A real error: Node prints one unlike other objects.
  const copy = new Error();
  known.set(thrown, copy);
  if (thrown instanceof Error) takeType(thrown, copy);
  if (thrown instanceof Error && isSafe(thrown)) copyWhole(thrown, copy);
  else copyTitle(thrown, copy);
  for (const name of ["cause", "errors"] as const) {
    if (!Object.hasOwn(thrown, name)) continue;
    const value: unknown = Reflect.get(thrown, name);
    const shown = Array.isArray(value)
      ? value.map((item) => redactedCopyOf(item, known))
      : redactedCopyOf(value, known);
    hide(copy, name, shown);
  }
  return copy;
}

function isSafe(error: Error): boolean {
  return Reflect.get(error, inspectCustom) === inspected;
}

/** Its type's name, but not its own way to be printed: that would begin all over, or show what it knows. */
function takeType(error: Error, copy: Error): void {
  const prototype: object = Object.create(Reflect.getPrototypeOf(error));
  hide(prototype, inspectCustom, undefined);
  Object.setPrototypeOf(copy, prototype);
}

function copyWhole(error: Error, copy: Error): void {
  const { stack: _stack, ...fields } = Object.getOwnPropertyDescriptors(error);
  Object.defineProperties(copy, fields);
  hide(copy, "stack", error.stack);
}

interface ErrorTitle {
  readonly name: unknown;
  readonly message: unknown;
  readonly code: unknown;
  readonly stack: unknown;
}

function copyTitle(thrown: object, copy: Error): void {
  const { name, message, code, stack }: Partial<ErrorTitle> = thrown;
  const title = [name, message].filter((part) => typeof part === "string" && part !== "").join(": ");
  hide(copy, "name", typeof name === "string" ? name : "Error");
  hide(copy, "message", typeof message === "string" ? message : "");
  hide(copy, "stack", typeof stack === "string" ? stack : title || "an object that is no error");
  if (typeof code === "string" || typeof code === "number") Object.assign(copy, { code });
}

function hide(object: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: false, configurable: true, writable: true });
}
