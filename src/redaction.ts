/** The method that Node's `util.inspect` calls, and with it `console.log` and most loggers. */
const inspectCustom = Symbol.for("nodejs.util.inspect.custom");

/**
 * Removes the secrets of URLs from a text: their queries, in which Azure signs, and their users and passwords. Removes
 * signatures, keys and tokens elsewhere too, as a service may quote them.
 * The time grows linearly with the text: a service may have written it.
 */
export function withoutUrlSecrets(text: string): string {
  const withoutQueries = /[?@]/.test(text) ? text.replaceAll(/[^\s"'`<>]+/g, wordWithoutSecrets) : text;
  return withoutQueries.replaceAll(secretAfterName, "$1…").replaceAll(restOfQuery, "$1…");
}

/** The rest of a query after a quote or a space: OData has both in its filters. */
const restOfQuery = /(&[\w$.-]{1,40}=)[^\s"'`<>&…]+/g;

/** `sig=…`, also as `sig%3D…`, and `Bearer …`. Shown secrets of a word are `…` already. */
const secretAfterName =
  /\b((?:sig|AccountKey|SharedAccessKey|access_token|client_secret|password)(?:=|%3D)|Bearer )[^\s"'`<>&;,…%]+(?:%[^\s"'`<>&;,…%]*)*/gi;

function wordWithoutSecrets(word: string): string {
  const start = word.indexOf("?");
  const head = start === -1 ? word : word.slice(0, start);
  // A slash: a relative URL may be signed without an equals sign too.
  const isQuery = start !== -1 && (head.includes("/") || word.includes("=", start));
  const endOfSentence = /[).,;:]*$/.exec(word.slice(-4))?.[0] ?? "";
  const rest = isQuery ? `?…${endOfSentence}` : word.slice(head.length);
  return head.replaceAll(/:\/\/[^/@]*@/g, "://…@") + rest;
}

/** Removes all that follows a `?` from a value of unknown form, because Azure signs URLs there. */
export function withoutQuery(value: string): string {
  return value.replace(/\?.*/s, "?…");
}

const maxShownLength = 60;

/** Describes a value for a message: short, and without its query. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return String(value);
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return value === null ? "null" : `a ${typeof value}`;
  const safe = withoutQuery(value);
  return JSON.stringify(safe.length > maxShownLength ? `${safe.slice(0, maxShownLength)}…` : safe);
}

/**
 * Redacts the errors of a class when they are printed or turned into JSON.
 *
 * Code still gets the whole `cause`. Of a cause, `util.inspect` shows the name, code, message and stack, but no other
 * fields: an HTTP client keeps the request there, with its token.
 */
export function hideSecretsOf({ prototype }: { readonly prototype: Error }): void {
  Object.defineProperty(prototype, inspectCustom, { value: inspectRedacted });
  Object.defineProperty(prototype, "toJSON", { value: toJson });
}

function inspectRedacted(
  this: Error,
  depth: number | null,
  options: object,
  inspect: (value: unknown, options: object) => string,
): string {
  if (depth !== null && depth < 0) return `[${this.name}]`;
  return withoutUrlSecrets(inspect(redactedCopyOf(this, new Map()), { ...options, depth }));
}

function toJson(this: Error): unknown {
  const text = JSON.stringify(Object.assign({}, this, { message: this.message }));
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === "string" ? withoutUrlSecrets(value) : value,
  );
}

/** Returns what is printed in the place of something thrown. */
function redactedCopyOf(thrown: unknown, copies: Map<object, Error>): unknown {
  if (typeof thrown !== "object" || thrown === null) return thrown;
  const copied = copies.get(thrown);
  if (copied) return copied;
  // A real error: Node prints one unlike other objects.
  const copy = new Error();
  copies.set(thrown, copy);
  if (thrown instanceof Error) copyType(thrown, copy);
  if (thrown instanceof Error && Reflect.get(thrown, inspectCustom) === inspectRedacted) {
    copyAllFields(thrown, copy);
  } else {
    copyCommonFields(thrown, copy);
  }
  for (const name of ["cause", "errors"] as const) {
    if (!Object.hasOwn(thrown, name)) continue;
    const value: unknown = Reflect.get(thrown, name);
    const redacted = Array.isArray(value)
      ? value.map((item) => redactedCopyOf(item, copies))
      : redactedCopyOf(value, copies);
    setHidden(copy, name, redacted);
  }
  return copy;
}

/** Copies the type's name, but not its own `inspect`: that would start all over, or show secrets. */
function copyType(error: Error, copy: Error): void {
  const prototype: object = Object.create(Reflect.getPrototypeOf(error));
  setHidden(prototype, inspectCustom, undefined);
  Object.setPrototypeOf(copy, prototype);
}

function copyAllFields(error: Error, copy: Error): void {
  const { stack: _stack, ...fields } = Object.getOwnPropertyDescriptors(error);
  Object.defineProperties(copy, fields);
  setHidden(copy, "stack", error.stack);
}

function copyCommonFields(thrown: object, copy: Error): void {
  const { name, message, code, stack }: Partial<Record<"name" | "message" | "code" | "stack", unknown>> =
    thrown;
  const title = [name, message].filter((part) => typeof part === "string" && part !== "").join(": ");
  setHidden(copy, "name", typeof name === "string" ? name : "Error");
  setHidden(copy, "message", typeof message === "string" ? message : "");
  setHidden(copy, "stack", typeof stack === "string" ? stack : title || "an object that is no error");
  if (typeof code === "string" || typeof code === "number") Object.assign(copy, { code });
}

function setHidden(object: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: false, configurable: true, writable: true });
}
