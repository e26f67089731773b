import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { ContractError, parseOperationStatus } from "lro-poller";
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

  test("has no field that the service did not send", () => {
    expect(Object.keys(parseOperationStatus(running, name))).toEqual(Object.keys(running));
  });

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

  test("counts whatever else is odd: it is left out and kept as it came", () => {
    const odd = { startTime: "yesterday", endTime: 1_706_130_898, percentComplete: -1, resourceId: {} };
    expect(parseOperationStatus({ ...running, ...odd, status: "Succeeded" })).toMatchObject({
      status: "Succeeded",
      startTime: undefined,
      endTime: undefined,
      percentComplete: undefined,
      resourceId: undefined,
      invalidFields: odd,
    });
    expect(parseOperationStatus(running).invalidFields).toBeUndefined();
  });

  test.each([
    ["40", 40],
    ["40 %", 40],
    ["12.5%", 12.5],
    [100.4, 100],
    [0.5, 0.5],
    [Infinity, 100],
  ])("has a percentage %j, which means %s", (percentComplete, expected) => {
    expect(parseOperationStatus({ ...running, percentComplete })).toMatchObject({
      percentComplete: expected,
    });
  });

  test.each([null, "x", "-4", "4 of 5", "", true, [40], { value: 40 }])(
    "has no percentage in %j",
    (value) => {
      expect(parseOperationStatus({ ...running, percentComplete: value }).percentComplete).toBeUndefined();
    },
  );

  test.each([{ id: undefined }, { id: 7 }, { name: undefined }, { name: "7" }, { id: "/x", name: null }])(
    "with %j is that of the operation that was asked for",
    (odd) => {
      const { id, name: ownName, status } = parseOperationStatus({ ...running, ...odd }, name);
      expect([typeof id, ownName, status]).toEqual(["string", name, "Running"]);
    },
  );

  test("never shows the text after a question mark in a message", () => {
    expect(contractErrorOf({ ...running, name: "https://host/x?sig=secret" }).message).not.toContain(
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

describe("a date", () => {
  test.each([
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    ["2024-01-24t21:14:58z", "2024-01-24T21:14:58.000Z"],
    ["2024-01-24T21:14:58.4-08:30", "2024-01-25T05:44:58.400Z"],
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"],
    ["2024-01-24T19:14:58+23:59", "2024-01-23T19:15:58.000Z"],
    ["2023-07-13 06:10:30 +0000", "2023-07-13T06:10:30.000Z"],
    ["2023-07-13 06:10:30.1234567 -02:30", "2023-07-13T08:40:30.123Z"],
    ["2024-01-24 21:14:58Z", "2024-01-24T21:14:58.000Z"],
    ["2024-01-24T21:14:58", "2024-01-24T21:14:58.000Z"],
    ["2024-01-24T21:14", "2024-01-24T21:14:00.000Z"],
    ["2024-01-24", "2024-01-24T00:00:00.000Z"],
    [" 2024-01-24 21:14:58 UTC ", "2024-01-24T21:14:58.000Z"],
    ["Thu, 13 Jul 2023 06:10:30 GMT", "2023-07-13T06:10:30.000Z"],
  ])("%s is the instant %s", (text, instant) => {
    expect(parseOperationStatus({ ...running, endTime: text }).endTime?.toISOString()).toBe(instant);
  });

  test.each([
    "2023-02-29T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-01-24T24:00:00Z",
    "2024-01-24T21:60:00Z",
    "at 2024-01-24T21:14:58Z",
    "2024-01-24T21:14:58Z or so",
    "2024-01-24T21:14:58+24:00",
    "0001-01-01T00:00:00Z",
    "1706130898",
    "24/01/2024",
    "",
  ])("%j is none", (text) => {
    const { endTime, invalidFields } = parseOperationStatus({ ...running, endTime: text });
    expect([endTime, invalidFields]).toEqual([undefined, { endTime: text }]);
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

  test("only an id or a status is ever rejected, with its path", () => {
    const fields = ["id", "name", "status", "startTime", "endTime", "percentComplete", "error", "resourceId"];
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
        try {
          parseOperationStatus({ ...running, [field]: value });
        } catch (error) {
          expect(error).toBeInstanceOf(ContractError);
          expect(error).toHaveProperty("path", `$.${field}`);
          expect(["id", "name", "status"]).toContain(field);
        }
      }),
    );
  });
});

test("parts that went through JSON are parts again, and a service's own field of that name is kept apart", () => {
  const leaf = { name: "a", type: "t", status: "Failed", error: { code: "E", message: "m" }, parts: [] };
  const parts = [{ name: "d", type: "t", status: "Running", startTime: new Date(1.7e12), parts: [leaf] }];
  const status = parseOperationStatus(JSON.parse(JSON.stringify({ ...running, parts })));
  expect(status.parts).toMatchObject(parts);
  for (const odd of ["two", [{ name: "a" }], [1]]) {
    const { parts: none, invalidFields } = parseOperationStatus({ ...running, parts: odd });
    expect([none, invalidFields]).toEqual([undefined, { parts: odd }]);
  }
});
