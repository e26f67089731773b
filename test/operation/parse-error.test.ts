import { describe, expect, test } from "vitest";
import { findError, parseOperationError } from "../../src/operation/parse-error.ts";

const error = { code: "Conflict", message: "It is in use." };
const text = JSON.stringify({ error });

describe("an error", () => {
  test.each<[unknown, object]>([
    [error, error],
    [{ Code: "Conflict", MESSAGE: "It is in use." }, error],
    [
      { Code: "Other", code: "Conflict", message: "It is in use." },
      { ...error, Code: "Other" },
    ],
    [{ code: " ", Code: "Conflict", message: "It is in use." }, error],
    [
      { code: "C", target: {}, details: 0, innererror: 0, additionalInfo: null },
      { target: undefined, details: undefined, innererror: undefined, additionalInfo: undefined },
    ],
    ["It is in use.", { code: "", message: "It is in use." }],
    [409, { code: "409", message: "" }],
    [text, error],
    [JSON.stringify([error]), error],
    [[error], error],
    [[[null, error]], error],
    [[error, "b"], { code: "", message: "", details: [error, { code: "", message: "b" }] }],
    [{ error }, error],
    [
      { code: 409, message: ["a", "b"] },
      { code: "409", message: "a b" },
    ],
    [
      { code: "C", message: { lang: "en-us", value: "v" } },
      { code: "C", message: "v" },
    ],
    [
      { errorCode: "C", errorDescription: "d" },
      { code: "C", message: "d" },
    ],
    [
      { ErrorType: "C", Message: "d" },
      { code: "C", message: "d" },
    ],
    [
      { message: "m", target: 7 },
      { code: "", message: "m", target: "7" },
    ],
    [
      { ...error, more: { a: [1] } },
      { ...error, more: { a: [1] } },
    ],
    [
      { ...error, details: "why" },
      { ...error, details: [{ code: "", message: "why" }] },
    ],
    [
      { ...error, details: error },
      { ...error, details: [error] },
    ],
    [
      { ...error, details: [null, {}, error] },
      { ...error, details: [error] },
    ],
    [
      { ...error, errors: { data: [error] } },
      { ...error, details: [error] },
    ],
    [
      { ...error, errors: { field: ["required"] } },
      { ...error, errors: { field: ["required"] } },
    ],
    [
      { ...error, moreDetails: [error], details: [error] },
      { ...error, details: [error, error] },
    ],
    [
      { ...error, values: [{ key: "Reason", value: "why" }] },
      { ...error, values: [{ key: "Reason", value: "why" }] },
    ],
    [
      { ...error, details: [{ ...error, at: 1 }] },
      { ...error, details: [{ ...error, at: 1 }] },
    ],
    [
      { ...error, innerError: { code: 1 } },
      { ...error, innererror: { code: "1" } },
    ],
    [
      { ...error, innererror: "why" },
      { ...error, innererror: { message: "why" } },
    ],
    [
      { ...error, innererror: { date: "d" } },
      { ...error, innererror: { date: "d" } },
    ],
    [
      { innererror: { code: "A", details: [error], innerError: { code: "B" } } },
      { code: "", message: "", innererror: { code: "A", details: [error], innererror: { code: "B" } } },
    ],
    [
      { ...error, additionalInfo: [{ type: "PolicyViolation", info: { a: 1 }, more: 2 }, 3] },
      { ...error, additionalInfo: [{ type: "PolicyViolation", info: { a: 1 }, more: 2 }, { info: 3 }] },
    ],
    [
      { code: "C", message: text },
      { code: "C", message: text, details: [error] },
    ],
    [{ code: "C", message: text, details: ["d"] }, { details: [{ message: "d" }, error] }],
    [{ code: "C", message: `[${text},${text}]` }, { details: [error, error] }],
    [
      { code: "C", message: "{not JSON}" },
      { code: "C", message: "{not JSON}", details: undefined },
    ],
    [
      { code: "C", message: "{}" },
      { code: "C", message: "{}", details: undefined },
    ],
    [{ ...error, details: [{ code: "D", message: text }] }, { details: [{ code: "D", details: [error] }] }],
  ])("%j is %j", (value, expected) => {
    expect(parseOperationError(value)).toMatchObject(expected);
  });

  test.each([
    undefined,
    null,
    true,
    0,
    "",
    " ",
    [],
    [[]],
    {},
    { code: "0" },
    { code: 0 },
    { a: 1 },
    { code: {}, message: [7], target: true },
  ])("is not in %j", (value) => expect(parseOperationError(value)).toBeUndefined());

  test("has no member of its prototype, whatever the names of the fields", () => {
    const parsed = parseOperationError(
      JSON.parse('{"__proto__":{"code":"P"},"hasOwnProperty":1,"code":"C"}'),
    );
    expect(parsed).toMatchObject({ code: "C", message: "" });
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
  });

  test("is the same after it was JSON, with what the service sent", () => {
    const sent = { Code: 7, Message: text, raw: 1, toJSON: "x", details: [{ raw: 2 }, error], other: [true] };
    const parsed = parseOperationError(sent);
    expect(parsed?.raw).toBe(sent);
    expect(JSON.parse(JSON.stringify(parsed))).toEqual(sent);
    expect(parseOperationError(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
    expect(parseOperationError(parsed)).toBe(parsed);
  });

  test("has 32 levels at most; its raw form has all of them", () => {
    const nested = (levels: number): object =>
      levels === 1 ? { code: "Leaf" } : { code: "Level", details: [nested(levels - 1)] };
    const codesOf = (levels: number): string => JSON.stringify({ ...parseOperationError(nested(levels)) });
    expect(codesOf(32)).toContain("Leaf");
    expect(codesOf(33)).not.toContain("Leaf");
    expect(JSON.stringify(parseOperationError(nested(33)))).toContain("Leaf");
  });

  test.each([
    ["[", "]", undefined],
    ['{"error":', "}", undefined],
    ['{"details":[', "]}", undefined],
    ['{"properties":', "}", undefined],
    ['{"code":"C","innererror":', "}", "C"],
  ])("that is %j 100,000 times is parsed without a stack overflow", (start, end, code) => {
    const depth = 100_000;
    const value: unknown = JSON.parse(`${start.repeat(depth)}null${end.repeat(depth)}`);
    expect([parseOperationError(value)?.code, findError(value)?.code]).toEqual([code, code]);
  });
});

describe("the error of a body", () => {
  test.each<[unknown, object]>([
    [{ error }, error],
    [{ Error: { Code: "Conflict", Message: "It is in use." } }, error],
    [{ ErrorEntity: error }, error],
    [{ "odata.error": { code: "Conflict", message: { lang: "en", value: "It is in use." } } }, error],
    [{ error: text }, error],
    [{ error: null, properties: { error } }, error],
    [{ error: {}, code: "Conflict", message: "It is in use." }, error],
    [{ properties: { statusCode: 409, statusMessage: { status: "Failed", error } } }, error],
    [{ properties: { statusMessage: text } }, error],
    [{ properties: { statusMessage: "m" } }, { code: "", message: "m" }],
    [{ properties: { errorCode: 7, errorDescription: "d" } }, { code: "7", message: "d" }],
    [{ status: "failed", errors: [error] }, error],
    [{ errors: [error, error] }, { code: "", message: "", details: [error, error] }],
    [
      { ...error, errors: [error] },
      { ...error, details: [error] },
    ],
    [
      { status: "Failed", ...error },
      { ...error, status: "Failed" },
    ],
    [
      { status: "Failed", errorCode: "C", errorMessage: "m" },
      { code: "C", message: "m" },
    ],
    [
      { errorCode: "C", message: "m", moreDetails: [error], relatedResource: { id: 1 } },
      { code: "C", message: "m", details: [error], relatedResource: { id: 1 } },
    ],
    [
      { status: "Failed", failureReason: { errorCode: "C", message: "m" } },
      { code: "C", message: "m" },
    ],
    [
      { status: "Failed", failureReason: "m" },
      { code: "", message: "m" },
    ],
    [
      { status: "Failed", status_details: "m" },
      { code: "", message: "m" },
    ],
    [
      { ErrorType: "C", Message: "m" },
      { code: "C", message: "m" },
    ],
    [
      { status: "failed", statusDetail: "m" },
      { code: "", message: "m" },
    ],
    [
      { status: "Failed", extendedStatus: "m" },
      { code: "", message: "m" },
    ],
    [{ status: "Failed", serviceExceptionJson: '{"errorCode":"C"}' }, { code: "C" }],
    [
      { status: 400, type: "https://x/y", title: "t", detail: "d" },
      { code: "", message: "d", title: "t" },
    ],
    [
      { status: "Failed", error: "m" },
      { code: "", message: "m" },
    ],
    [
      { error: "Bad Request", message: "m" },
      { code: "Bad Request", message: "m" },
    ],
    ["m", { code: "", message: "m" }],
    [[error], error],
  ])("%j is %j", (body, expected) => {
    expect(findError(body)).toMatchObject(expected);
  });

  test.each([
    undefined,
    null,
    {},
    { error: null },
    { error: {} },
    { error: { code: "0" } },
    { status: "Failed", properties: { title: "t", details: "d" } },
    { status: "Failed", properties: { code: "c", values: [] } },
    { status: "Failed", id: "/x", properties: { provisioningState: "Failed", size: 7 } },
  ])("is not in %j", (body) => expect(findError(body)).toBeUndefined());

  test("has the field that holds it as its raw form, or else the object that has its parts", () => {
    const properties = { errorCode: "C", errorDescription: "d" };
    expect(findError({ error })?.raw).toBe(error);
    expect(findError({ properties })?.raw).toBe(properties);
    expect(findError({ error: text })?.raw).toBe(text);
    expect(findError(error)?.raw).toBe(error);
  });
});
