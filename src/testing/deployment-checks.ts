import type { AddDeploymentOptions, DeploymentOptions } from "./deployment-options.ts";
import { defaultTiming, isNested } from "./deployments/plan.ts";
import type { DeploymentPlan, PlannedPart } from "./deployments/plan.ts";
import { checkFunction, checkNumber, checkObject, checkString, fail } from "./validation.ts";

/** @throws TypeError or RangeError that names the option that is wrong */
export function checkDeploymentOptions(name: string, options: DeploymentOptions): void {
  checkObject(name, options);
  const prefix = name === "options" ? "" : `${name}.`;
  const { plan, durationOf, faults, limits } = options;
  checkFunction(`${prefix}plan`, plan);
  checkFunction(`${prefix}durationOf`, durationOf);
  checkFunction(`${prefix}faults`, faults);
  const durations = Object.keys(defaultTiming).concat(
    "validationInMs",
    "whatIfInMs",
    "retryAfter",
    "emptyPages",
  );
  for (const [key, value] of Object.entries(options))
    if (durations.includes(key)) checkTime(`${prefix}${key}`, value);
  if (options.tickInMs !== undefined) checkNumber(`${prefix}tickInMs`, options.tickInMs, { min: 1 });
  if (options.pageSize !== undefined)
    checkNumber(`${prefix}pageSize`, options.pageSize, { min: 1, isInteger: true });
  for (const kind of ["reads", "writes"] as const) {
    const rule = limits?.[kind];
    if (rule === undefined) continue;
    checkNumber(`${prefix}limits.${kind}.burst`, rule.burst, { min: 1 });
    checkNumber(`${prefix}limits.${kind}.perSecond`, rule.perSecond, { min: Number.MIN_VALUE });
  }
}

/** @throws TypeError or RangeError that names the option that is wrong */
export function checkAddedDeployment(options: AddDeploymentOptions): void {
  checkPlan("", options);
  if (options.name !== undefined) checkString("name", options.name);
}

function checkPlan(name: string, plan: DeploymentPlan): void {
  checkObject(name === "" ? "options" : name, plan);
  const { resources = [] } = plan;
  const prefix = name === "" ? "" : `${name}.`;
  if (!Array.isArray(resources)) fail(`${prefix}resources`, "an array of parts", resources);
  for (const [index, part] of resources.entries()) checkPart(`${prefix}resources[${index}]`, part);
}

function checkPart(name: string, part: PlannedPart): void {
  checkObject(name, part);
  checkString(`${name}.name`, part.name);
  if (part.startInMs !== undefined) checkNumber(`${name}.startInMs`, part.startInMs);
  if (part.listedAfterInMs !== undefined) checkTime(`${name}.listedAfterInMs`, part.listedAfterInMs);
  if (isNested(part)) return checkPlan(`${name}.deployment`, part.deployment);
  checkString(`${name}.type`, part.type);
  if (part.durationInMs !== undefined) checkNumber(`${name}.durationInMs`, part.durationInMs);
}

/** A time, or never. */
function checkTime(name: string, value: unknown): void {
  if (value !== Infinity && value !== undefined) checkNumber(name, value);
}
