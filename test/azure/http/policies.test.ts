import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import type { Pipeline, PipelineOptions } from "@azure/core-rest-pipeline";
import { expect, test } from "vitest";
import { createPipeline } from "../../../src/azure/http/policies.ts";

function namesOf(pipeline: Pipeline): readonly string[] {
  return pipeline.getOrderedPolicies().map(({ name }) => name);
}

/** The policies for retries, redirects and forms, and for signals other than the platform's. */
const leftOut = [
  "defaultRetryPolicy",
  "formDataPolicy",
  "multipartPolicy",
  "redirectPolicy",
  "wrapAbortSignalLikePolicy",
];

test.each<[string, PipelineOptions]>([
  ["no options", {}],
  ["a client certificate", { tlsOptions: { cert: "cert", key: "key" } }],
  ["a proxy", { proxyOptions: { host: "http://proxy", port: 8080 } }],
])(
  "a client has the policies of core-rest-pipeline that its requests need, in its order: %s",
  (_, options) => {
    const whole = namesOf(createPipelineFromOptions(options));
    expect(whole).toEqual(expect.arrayContaining(leftOut));
    expect(namesOf(createPipeline(options, true))).toEqual(whole.filter((name) => !leftOut.includes(name)));
  },
);

test("a client whose requests stay on this machine has no proxy", () => {
  expect(namesOf(createPipeline({}, false))).toEqual(
    namesOf(createPipeline({}, true)).filter((name) => name !== "proxyPolicy"),
  );
});
