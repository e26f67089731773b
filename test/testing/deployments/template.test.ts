import { expect, test } from "vitest";
import { deployments, emulate, group, operationsOf, root, storage, version } from "./support.ts";

async function validatedIds(template: object, parameters: object = {}): Promise<readonly string[]> {
  const { send } = emulate();
  const body = { properties: { mode: "Incremental", template, parameters } };
  const validated = await send("POST", `${root}/validate${version}`, body);
  const { properties }: { properties?: { validatedResources: readonly { id: string }[] } } = Object(
    validated.body,
  );
  return (properties?.validatedResources ?? []).map(({ id }) => id.replace(`${group}/providers/`, ""));
}

test("parameters, conditions, copies and existing resources", async () => {
  const template = {
    parameters: { first: { defaultValue: "one" }, second: {}, isWanted: { defaultValue: false } },
    resources: [
      { type: storage, name: "[parameters('first')]" },
      { type: storage, name: "[parameters('second')]" },
      { type: storage, name: "unwanted", condition: "[parameters('isWanted')]" },
      { type: storage, name: "there", existing: true },
      { type: storage, name: "[format('copy{0}', copyIndex())]", copy: { name: "loop", count: 2 } },
    ],
  };
  expect(await validatedIds(template, { second: { value: "two" } })).toEqual(
    ["one", "two", "copy0", "copy1"].map((name) => `${storage}/${name}`),
  );
});

test("nested deployments in other scopes", async () => {
  const inner = { template: { resources: [{ type: storage, name: "a" }] } };
  const nested = { type: "Microsoft.Resources/deployments", properties: inner };
  const template = {
    resources: [
      { ...nested, name: "here" },
      { ...nested, name: "group", resourceGroup: "g2" },
      { ...nested, name: "subscription", subscriptionId: "s2" },
      { ...nested, name: "management", scope: "Microsoft.Management/managementGroups/m1" },
      { ...nested, name: "tenant", scope: "/" },
    ],
  };
  const ids = await validatedIds(template);
  const path = deployments.slice(1);
  expect(ids.filter((_, index) => index % 2 === 0)).toEqual([
    "Microsoft.Resources/deployments/here",
    `/subscriptions/s1/resourceGroups/g2/${path}/group`,
    `/subscriptions/s2/${path}/subscription`,
    `/providers/Microsoft.Management/managementGroups/m1/${path}/management`,
    `/${path}/tenant`,
  ]);
});

test("symbolic names, with the path to each since 2026-06-01", async () => {
  const { send, clock } = emulate({ durationOf: ({ name }) => (name === "a" ? 3000 : 9000) });
  const template = {
    languageVersion: "2.0",
    resources: {
      mine: { type: storage, name: "a" },
      yours: { type: storage, name: "b", dependsOn: ["mine"] },
    },
  };
  await send("PUT", root + version, { properties: { mode: "Incremental", template } });
  await clock.advance(3000);
  const targetOf = async (apiVersion: string): Promise<unknown> => {
    const { body } = await send("GET", `${root}/operations?api-version=${apiVersion}`);
    return operationsOf(body).map(({ properties }) => properties.targetResource);
  };
  const [target] = [{ resourceName: "a", symbolicName: "mine" }];
  expect(await targetOf("2025-04-01")).toEqual([expect.not.objectContaining({ symbolicNamePath: ["mine"] })]);
  expect(await targetOf("2026-06-01")).toMatchObject([{ ...target, symbolicNamePath: ["mine"] }]);
  await clock.advance(2000);
  expect(await targetOf("2025-04-01")).toMatchObject([{ resourceName: "b" }, target]);
});
