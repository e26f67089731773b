import { expect, test } from "vitest";
import { conditionOf } from "../../../src/cli/input/condition.ts";
import { runCli } from "../run-cli.ts";

const resource = {
  name: "My VM",
  properties: {
    provisioningState: "Succeeded",
    powerState: { code: "Running" },
    isReady: true,
    nodeCount: 3,
    nothing: null,
    statuses: [{ code: "a" }, { code: "b, c" }],
  },
  tags: { "app.kubernetes.io/name": "web", "x'y": "=" },
};

test.each([
  ["properties.provisioningState=Succeeded", true],
  ["properties.provisioningState==succeeded", true],
  ["Properties.ProvisioningState = SUCCEEDED", true],
  ["properties.provisioningState!=Succeeded", false],
  ["properties.provisioningState=Succeed", false],
  ["name=My VM", true],
  ["name='my vm'", true],
  ["properties.isReady=true", true],
  ["properties.nodeCount=3", true],
  ["properties.nodeCount=3.0", false],
  ["properties.nothing=null", true],
  ["properties.statuses[0].code=a", true],
  ["properties.statuses[1].code='b, c'", true],
  ["properties.statuses[2].code=a", false],
  ["properties.none.none=", false],
  ["properties.none.none!=Running", true],
  ["tags['app.kubernetes.io/name']=web", true],
  ['tags."app.kubernetes.io/name"=web', true],
  [`tags["x'y"]="="`, true],
  ["properties.isReady=true,properties.nodeCount=3", true],
  ["properties.isReady=true, properties.nodeCount=4", false],
  ["toString=x", false],
])("--for %s is %s", (text, isTrue) => {
  const { until } = conditionOf({ for: [text] }) ?? {};
  expect(typeof until === "function" && until(resource)).toBe(isTrue);
});

test("of several conditions of --for all must be true, and of --fail-if one", () => {
  const failIf = ["properties.nodeCount=0", "properties.isReady=true"];
  const condition = conditionOf({ for: ["exists", "name=My VM", "properties.nodeCount=4"], failIf });
  expect(typeof condition?.until === "function" && condition.until(resource)).toBe(false);
  expect(condition?.failIf?.(resource)).toBe(true);
  expect(condition?.failIf?.({})).toBe(false);
});

const url = "http://127.0.0.1:1/subscriptions/s";

test.each([
  ["--for", ["--for", ""]],
  ["--for", ["--for", "Running"]],
  ["--for", ["--for", "a[x]=b"]],
  ["--for", ["--for", "a..b=c"]],
  ["--for", ["--for", "deleted", "--for", "exists"]],
  ["--fail-if", ["--for", "exists", "--fail-if", "deleted"]],
  ["--fail-if: expected --for too", ["--fail-if", "a=b"]],
  ["--confirmations: expected --for too", ["--confirmations", "2"]],
  ["--confirmations", ["--for", "exists", "--confirmations", "0"]],
])("%s is named by the error of %j", async (name, options) => {
  const { exitCode, stderr } = await runCli(["wait", url, ...options]);
  expect(exitCode).toBe(2);
  expect(stderr.split("\n")[0]).toContain(name);
});
