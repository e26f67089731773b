import type { OperationPlan } from "../../testing/index.ts";

/** An operation that `lro emulate` serves. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly plan: OperationPlan;
}

/** The first poll gets it, however late. */
const untilFirstPoll = { status: "NotStarted", polls: 1 } as const;

const image = "image-windows11-visualstudio-2025";

/** The operations: each creates a dev box. Times are milliseconds. */
export const scenarios: readonly Scenario[] = [
  {
    name: "percent",
    title: "succeeds, with a percentage",
    plan: {
      timeline: [
        untilFirstPoll,
        { status: "NotStarted", durationInMs: 2000 },
        { status: "Running", durationInMs: 28_000, percentComplete: { from: 0, to: 99, step: 1 } },
        {
          status: "Succeeded",
          percentComplete: 100,
          properties: { name: "dev-box-1", provisioningState: "Succeeded", image },
        },
      ],
    },
  },
  {
    name: "no-percent",
    title: "succeeds, without a percentage, like most operations of DevCenter",
    plan: {
      timeline: [
        untilFirstPoll,
        { status: "Running", durationInMs: 20_000 },
        { status: "Succeeded", properties: { name: "dev-box-2", provisioningState: "Succeeded", image } },
      ],
    },
  },
  {
    name: "failing",
    title: "fails with a nested error",
    plan: {
      timeline: [
        untilFirstPoll,
        { status: "Running", durationInMs: 12_000, percentComplete: { from: 0, to: 60, step: 20 } },
        {
          status: "Failed",
          error: {
            code: "DevBoxProvisioningFailed",
            message: "The dev box could not be created.",
            target: "dev-box-3",
            details: [
              {
                code: "PoolHealthCheckFailed",
                message: "The pool's network connection is unhealthy.",
                target: "pool",
              },
              { code: "ImageNotReplicated", message: "The image is not in this region.", target: image },
            ],
            innererror: { code: "NetworkConnectionUnhealthy", innererror: { code: "DnsServerUnreachable" } },
          },
        },
      ],
    },
  },
  {
    name: "canceled",
    title: "is canceled by its user",
    plan: {
      timeline: [
        untilFirstPoll,
        { status: "Running", durationInMs: 10_000 },
        {
          status: "Canceled",
          error: { code: "OperationCanceled", message: "The user canceled the operation." },
        },
      ],
    },
  },
  {
    name: "flaky",
    title: "succeeds, although many polls fail",
    plan: {
      timeline: [
        untilFirstPoll,
        { status: "Running", durationInMs: 25_000, percentComplete: { from: 0, to: 100, step: 1 } },
        {
          status: "Succeeded",
          percentComplete: 100,
          properties: { name: "dev-box-5", provisioningState: "Succeeded" },
        },
      ],
      faults: {
        2: { kind: "status", status: 503, retryAfter: 3 },
        3: { kind: "reset" },
        5: { kind: "body", text: "<html><body>Bad gateway</body></html>" },
        6: { kind: "status", status: 429 },
        8: { kind: "status", status: 500 },
      },
    },
  },
];
