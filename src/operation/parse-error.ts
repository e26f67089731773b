import { isObject } from "./json-object.ts";
import type { Fields } from "./json-object.ts";
import type { ErrorAdditionalInfo, InnerError, OperationError } from "./status.ts";

// V8 parses a body of any depth, but a recursive parser would run out of stack on it.
const maxDepth = 32;

// The names that services give to the parts of an error, the best first. They are compared without case.
const codeNames = ["code", "errorCode", "errorType"];
const innerNames = ["innererror", "inner_error", "innerException"];
const messageNames = [
  "message",
  "errorDescription",
  "errorMessage",
  "errorString",
  "exception",
  "error_description",
  "detail",
  "title",
  "failureReason",
  "statusMessage",
  "status_details",
  "statusDetail",
  "extendedStatus",
  "value",
];
const errorNames = [
  "error",
  "errorEntity",
  "errorInfo",
  "odata.error",
  "failureReason",
  "statusMessage",
  "serviceExceptionJson",
  "errorDetails",
  "lastError",
  "provisioningErrors",
  "serviceErrorDetails",
  "providerErrorDetails",
];
const detailNames = [...errorNames, "details", "errors", "moreDetails", "messages", "innerErrors", "causes"];

/**
 * Parses an error in any shape: an object, a text, a list, or JSON in a text. It never throws.
 *
 * Levels below the 32nd are only in `raw`.
 *
 * @returns `undefined` if the value has no code, no message, and no error inside it
 */
export function parseOperationError(value: unknown): OperationError | undefined {
  return isParsed(value) ? value : withRaw(parseValue(value, 0), value);
}

/**
 * Finds the error in the body of a failed operation or of a failed request. It never throws.
 *
 * A field that holds an error is preferred, at the root and then in `properties`. Without such a field the root itself,
 * or `properties`, may be the error.
 */
export function findError(body: unknown): OperationError | undefined {
  if (!isObject(body)) return parseOperationError(body);
  const properties = valuesOf(body, ["properties"]).filter(isObject);
  const named = [body, ...properties].flatMap((holder) => valuesOf(holder, errorNames));
  // A plain text may be one part of an error that has others at the root.
  const whole = named.filter((value) => plainTextOf(value) === undefined);
  const candidates = [...whole, body, ...properties.filter(describesError)];
  for (const candidate of candidates) {
    const error = parseOperationError(candidate);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** Whether properties are those of an error: a resource may have a `title` or a `code` too. */
function describesError(properties: Fields): boolean {
  const texts = valuesOf(properties, errorNames).filter((value) => plainTextOf(value) !== undefined);
  const { code = "", message = "" } = parseValue(properties, 0) ?? {};
  return texts.length > 0 || (code !== "" && message !== "");
}

/** Whether {@link withRaw} made it: JSON has no fields that are not enumerable. */
function isParsed(value: unknown): value is OperationError {
  return isObject(value) && Object.getOwnPropertyDescriptor(value, "raw")?.enumerable === false;
}

/** Adds what the service sent: as JSON an error is that. */
export function withRaw(error: OperationError | undefined, raw: unknown): OperationError | undefined {
  if (error === undefined) return undefined;
  // As JSON it is what the service sent, so that it can be parsed again without a loss.
  const hidden = { raw: { value: raw, enumerable: false }, toJSON: { value: () => raw, enumerable: false } };
  return Object.defineProperties(error, hidden);
}

function parseValue(value: unknown, depth: number): OperationError | undefined {
  if (depth >= maxDepth) return undefined;
  if (typeof value === "string") return parseText(value, depth);
  if (typeof value === "number") return value === 0 ? undefined : { code: String(value), message: "" };
  const fields = Array.isArray(value) ? { details: value } : value;
  if (!isObject(fields)) return undefined;
  const error = withoutWrapper(parseFields(fields, depth));
  return hasContent(error) ? error : undefined;
}

function parseText(text: string, depth: number): OperationError | undefined {
  const document = documentIn(text);
  const error = document && parseValue(document, depth + 1);
  if (error !== undefined) return error;
  return text.trim() === "" ? undefined : { code: "", message: text };
}

function parseFields(fields: Fields, depth: number): OperationError {
  const rest = new Map(Object.entries(fields));
  const keys = keysByName(fields);
  function take<T>(names: readonly string[], parse: (value: unknown) => T | undefined): T | undefined {
    for (const key of names.flatMap((name) => exactFirst(name, keys))) {
      const parsed = parse(rest.get(key));
      if (parsed === undefined) continue;
      rest.delete(key);
      return parsed;
    }
    return undefined;
  }
  const code = take(codeNames, textOf);
  const message = take(messageNames, textOf);
  const errorText = take(["error"], plainTextOf);
  const text = message ?? errorText ?? "";
  const listed = detailNames.flatMap((name) => take([name], (list) => parseList(list, depth + 1)) ?? []);
  const details = [...listed, ...errorsInText(text, depth + 1)];
  const target = take(["target", "key"], textOf);
  const innererror = take(innerNames, (inner) => parseInnerError(inner, depth + 1));
  const additionalInfo = take(["additionalInfo"], parseAdditionalInfo);
  // The fields below replace those of the same name whose values had no use.
  return {
    ...Object.fromEntries(rest),
    code: code ?? (message === undefined ? undefined : errorText) ?? "",
    message: text,
    target,
    details: details.length > 0 ? details : undefined,
    innererror,
    additionalInfo,
  };
}

function parseList(value: unknown, depth: number): readonly OperationError[] | undefined {
  const errors = listIn(value)
    .map((item) => parseValue(item, depth))
    .filter((error) => error !== undefined);
  return errors.length > 0 ? errors : undefined;
}

/** Returns the items of a list, or of an object that has it as `data` (OpenAI); another value is the only item. */
function listIn(value: unknown): readonly unknown[] {
  const list = isObject(value) && Array.isArray(value["data"]) ? value["data"] : value;
  return Array.isArray(list) ? list : [list];
}

/** Returns the errors in a text that is JSON: nested deployments send their own error so. */
function errorsInText(text: string, depth: number): readonly OperationError[] {
  const document = documentWithin(text);
  const error = document && parseValue(document, depth);
  if (error === undefined) return [];
  const isList = error.code === "" && error.message === "";
  return isList ? (error.details ?? [error]) : [error];
}

function parseInnerError(value: unknown, depth: number): InnerError | undefined {
  if (depth >= maxDepth) return undefined;
  const error = isObject(value) ? parseFields(value, depth) : parseValue(value, depth);
  return error && { ...error, code: error.code || undefined, message: error.message || undefined };
}

function parseAdditionalInfo(value: unknown): readonly ErrorAdditionalInfo[] | undefined {
  if (value === null) return undefined;
  return listIn(value).map((item) => {
    if (!isObject(item)) return { info: item };
    const { type, ...fields } = item;
    return { ...fields, type: textOf(type) };
  });
}

/** Replaces an object that says nothing itself by the only error in it, as `{ error }` is. */
function withoutWrapper(error: OperationError): OperationError {
  const { code, message, details = [], innererror } = error;
  const [only, ...others] = details;
  const isWrapper = code === "" && message === "" && innererror === undefined && others.length === 0;
  return isWrapper && only !== undefined ? only : error;
}

/** Some services send the code 0 with every success. */
function hasContent({ code = "", message = "", details, innererror }: InnerError): boolean {
  const hasCode = code !== "" && code !== "0";
  return (
    hasCode || message !== "" || details !== undefined || (innererror !== undefined && hasContent(innererror))
  );
}

/** Returns a text, a number as text, the `value` of OData's `{ lang, value }`, or a list of texts. */
function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const texts = value.filter((item) => typeof item === "string");
    return texts.length > 0 ? texts.join(" ") : undefined;
  }
  const text: unknown = isObject(value) ? (value["value"] ?? value["Value"]) : value;
  if (typeof text === "number") return String(text);
  return typeof text === "string" && text.trim() !== "" ? text : undefined;
}

function plainTextOf(value: unknown): string | undefined {
  return typeof value === "string" && documentIn(value) === undefined ? textOf(value) : undefined;
}

/** Returns the object or list in a text that is JSON. */
export function documentIn(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const document: object = JSON.parse(text);
    return document;
  } catch {
    return undefined;
  }
}

/** The same, also if words come before the JSON of an error. */
function documentWithin(text: string): object | undefined {
  const start = text.search(/\{\s*"(?:code|error|message)"/i);
  return documentIn(text) ?? (start === -1 ? undefined : documentIn(text.slice(start)));
}

/** Returns the values of the fields with these names, in their order. */
function valuesOf(fields: Fields, names: readonly string[]): unknown[] {
  const keys = keysByName(fields);
  return names.flatMap((name) => exactFirst(name, keys)).map((key) => fields[key]);
}

/** Returns the names of the fields by their name in lower case. */
function keysByName(fields: Fields): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>();
  for (const key of Object.keys(fields)) {
    const name = key.toLowerCase();
    const others = keys.get(name);
    if (others) others.push(key);
    else keys.set(name, [key]);
  }
  return keys;
}

function exactFirst(name: string, keys: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found = keys.get(name.toLowerCase()) ?? [];
  return found.includes(name) ? [name, ...found.filter((key) => key !== name)] : found;
}
