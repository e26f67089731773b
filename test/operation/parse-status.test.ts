import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { ContractError, isTerminal, parseOperationStatus } from "lro-poller";
import type { OperationState, OperationStatus } from "lro-poller";

const name = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const running = {
  id: `/projects/myProject/operationStatuses/${name}`,
  name,
  status: "Running",
  startTime: "2024-01-24T21:14:58.472Z",
};

function contractErrorOf(body: unknown, operationId?: string): ContractError {
  try {
    parseOperationStatus(body, operationId);
  } catch (error) {
    if (error instanceof ContractError) return error;
    throw error;
  }
  throw new Error("the body was accepted");
}

describe("a status", () => {
  test("from the contract's own example is parsed, with its date as a Date", () => {
    expect(parseOperationStatus(running, name)).toEqual({
      ...running,
      startTime: new Date("2024-01-24T21:14:58.472Z"),
    });
  });

  test("with a date as DevCenter writes it (seven digits, +00:00) is parsed", () => {
    const { startTime } = parseOperationStatus({
      ...running,
      startTime: "2023-10-27T02:48:14.6512345+00:00",
    });
    expect(startTime?.toISOString()).toBe("2023-10-27T02:48:14.651Z");
  });

  test("keeps fields that are not in the contract", () => {
    expect(parseOperationStatus({ ...running, result: [1], extra: { a: null } })).toMatchObject({
      result: [1],
      extra: { a: null },
    });
  });

  test("takes null in an optional field as missing", () => {
    const parsed = parseOperationStatus({ ...running, startTime: null, percentComplete: null, error: null });
    expect([parsed.startTime, parsed.percentComplete, parsed.error]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each([[{ code: null }], [{ message: undefined }], [{}]])(
    "has an empty code and message where its error is %j",
    (error) => {
      expect(parseOperationStatus({ ...running, status: "Failed", error }).error).toMatchObject({
        code: "",
        message: "",
      });
    },
  );

  test("keeps the codes and messages of its error, at every depth", () => {
    const error = {
      code: "A",
      message: "a",
      target: "t",
      details: [{ code: "B", message: "b" }],
      innererror: { code: "C", message: "c", innererror: { code: "D" } },
    };
    expect(parseOperationStatus({ ...running, status: "Failed", error }).error).toMatchObject(error);
  });

  test("has its name where its id has a trailing slash, a query or a fragment", () => {
    expect(parseOperationStatus({ ...running, id: `${running.id}/` }).name).toBe(name);
    expect(parseOperationStatus({ ...running, id: `${running.id}?a=1#b\n/c` }, name).name).toBe(name);
  });

  test("has an id that is compared without case", () => {
    expect(parseOperationStatus(running, name.toUpperCase()).name).toBe(name);
  });

  test.each([
    ["Succeeded", "Succeeded"],
    ["SUCCEEDED", "Succeeded"],
    ["cancelled", "Canceled"],
    ["notstarted", "NotStarted"],
    ["RUNNING", "Running"],
    ["InProgress", "InProgress"],
    ["NotSucceeded", "NotSucceeded"],
    ["FailedOver", "FailedOver"],
  ])("word %j is the state %j", (word, state) => {
    expect(parseOperationStatus({ ...running, status: word }).status).toBe(state);
  });

  test.each([
    [null, "$", "an object", "null"],
    [[running], "$", "an object", "an array"],
    ["<html>", "$", "an object", '"<html>"'],
    [{ ...running, id: undefined }, "$.id", "a string", "nothing"],
    [{ ...running, name: 7 }, "$.name", "a string", "7"],
    [{ ...running, name: "7" }, "$.name", "36 characters in the form of a UUID", '"7"'],
    [{ ...running, name: `${name}0` }, "$.name", "36 characters in the form of a UUID", `"${name}0"`],
    [{ ...running, name: `0${name}` }, "$.name", "36 characters in the form of a UUID", `"0${name}"`],
    [{ ...running, status: undefined }, "$.status", "a string", "nothing"],
    [{ ...running, status: null }, "$.status", "a string", "null"],
    [{ ...running, status: " " }, "$.status", "a state", '" "'],
    [{ ...running, status: true }, "$.status", "a string", "true"],
    [{ ...running, percentComplete: "40" }, "$.percentComplete", "a number from 0 to 100", '"40"'],
    [{ ...running, percentComplete: 100.5 }, "$.percentComplete", "a number from 0 to 100", "100.5"],
    [{ ...running, percentComplete: -1 }, "$.percentComplete", "a number from 0 to 100", "-1"],
    [{ ...running, startTime: "yesterday" }, "$.startTime", "an RFC 3339 date-time", '"yesterday"'],
    [{ ...running, endTime: 1706130898 }, "$.endTime", "an RFC 3339 date-time", "1706130898"],
    [{ ...running, resourceId: {} }, "$.resourceId", "a string", "an object"],
    [{ ...running, error: "boom" }, "$.error", "an object", '"boom"'],
    [{ ...running, error: { code: 409 } }, "$.error.code", "a string", "409"],
    [{ ...running, error: { message: {} } }, "$.error.message", "a string", "an object"],
    [{ ...running, error: { details: "none" } }, "$.error.details", "an array", '"none"'],
    [{ ...running, error: { innererror: { message: 7 } } }, "$.error.innererror.message", "a string", "7"],
    [{ ...running, error: { details: [{}, { target: 1 }] } }, "$.error.details[1].target", "a string", "1"],
    [
      { ...running, error: { innererror: { innererror: { code: [] } } } },
      "$.error.innererror.innererror.code",
      "a string",
      "an array",
    ],
  ])(
    "%j is rejected, with the path, the expected and the received value",
    (body, path, expected, received) => {
      const error = contractErrorOf(body);
      expect(error).toMatchObject({ path, expected, received, code: "ContractError" });
      expect(error.message).toBe(
        `${path === "$" ? "the body" : path}: expected ${expected}, got ${received}`,
      );
    },
  );

  test("of another operation is rejected, by name and by id", () => {
    const other = "00000000-0000-0000-0000-000000000000";
    expect(contractErrorOf({ ...running, name: other }, name).message).toBe(
      `$.name: expected the operation ${name}, got "${other}"`,
    );
    expect(contractErrorOf({ ...running, name: other }, name).path).toBe("$.name");
    expect(contractErrorOf({ ...running, id: `/projects/p/operationStatuses/${other}` }, name).path).toBe(
      "$.id",
    );
  });

  test("may nest errors 32 levels deep, and no deeper", () => {
    const nested = (levels: number): unknown => (levels === 1 ? {} : { innererror: nested(levels - 1) });
    const failed = (levels: number): object => ({
      ...running,
      status: "Failed",
      error: { innererror: nested(levels) },
    });
    expect(() => parseOperationStatus(failed(32))).not.toThrow();
    expect(contractErrorOf(failed(33)).message).toMatch(/: expected at most 32 levels, got "more"$/);
  });

  test("that nests errors 100,000 levels deep is rejected without a stack overflow", () => {
    const depth = 100_000;
    const inner = `${'{"innererror":'.repeat(depth)}null${"}".repeat(depth)}`;
    const details = `${'{"details":['.repeat(depth)}${"]}".repeat(depth)}`;
    for (const error of [inner, details]) {
      const body: unknown = JSON.parse(
        `{"id":"${running.id}","name":"${name}","status":"Failed","error":${error}}`,
      );
      expect(contractErrorOf(body).expected).toBe("at most 32 levels");
    }
  });

  test("never shows the text after a question mark in a message", () => {
    expect(contractErrorOf({ ...running, startTime: "https://host/x?sig=secret" }).message).not.toContain(
      "secret",
    );
  });

  test("has the caller's type of properties", () => {
    expectTypeOf(parseOperationStatus<{ size: number }>(running)).toEqualTypeOf<
      OperationStatus<{ size: number }>
    >();
    expectTypeOf<OperationStatus["status"]>().toEqualTypeOf<OperationState>();
  });
});

describe("RFC 3339", () => {
  test.each([
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    ["2024-01-24t21:14:58z", "2024-01-24T21:14:58.000Z"],
    ["2024-01-24T21:14:58.4-08:30", "2024-01-25T05:44:58.400Z"],
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"],
    ["2024-01-24T19:14:58+23:59", "2024-01-23T19:15:58.000Z"],
  ])("%s is the instant %s", (text, instant) => {
    expect(parseOperationStatus({ ...running, endTime: text }).endTime?.toISOString()).toBe(instant);
  });

  test.each([
    "2023-02-29T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-01-24T24:00:00Z",
    "2024-01-24T21:60:00Z",
    "2024-01-24 21:14:58Z",
    "2024-01-24T21:14:58",
    "at 2024-01-24T21:14:58Z",
    "2024-01-24T21:14:58Z or so",
    "2024-01-24T21:14:58+24:00",
    "2024-01-24",
    "",
  ])("%j is rejected", (text) => {
    expect(contractErrorOf({ ...running, endTime: text }).path).toBe("$.endTime");
  });
});

describe("properties", () => {
  test("any JSON is parsed or rejected with a ContractError", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        try {
          expect(typeof parseOperationStatus(body).status).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(ContractError);
        }
      }),
    );
  });

  test("any value of one field is rejected with that field's path, or parsed", () => {
    const fields = ["id", "name", "status", "startTime", "endTime", "percentComplete", "error", "resourceId"];
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
        try {
          parseOperationStatus({ ...running, [field]: value });
        } catch (error) {
          expect(error).toBeInstanceOf(ContractError);
          expect(error).toHaveProperty("path", expect.stringMatching(`^\\$\\.${field}\\b`));
        }
      }),
    );
  });

  test("a word is terminal only if it is one of the three, compared without case", () => {
    const terminal = new Set(["succeeded", "failed", "canceled", "cancelled"]);
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ minLength: 1 }), fc.mixedCase(fc.constantFrom(...terminal))),
        (word) => {
          fc.pre(word.trim() !== "");
          const { status } = parseOperationStatus({ ...running, status: word });
          expect(isTerminal(status)).toBe(terminal.has(word.toLowerCase()));
        },
      ),
    );
  });
});
