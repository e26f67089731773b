// Runs in a browser, bundled.
import { fixed, pollUntilDone } from "lro-poller";
import type { Progress } from "lro-poller";
import { succeeding } from "./plans.ts";
import { hostAt, printReport } from "./report.ts";
import { planned } from "./scenarios.ts";

const query = new URLSearchParams(location.search);
const host = hostAt(location.origin, {
  endpoint: query.get("endpoint") ?? "",
  armEndpoint: query.get("arm") ?? "",
  hidesHeaders: true,
});

function show({ status, percentComplete = 0 }: Progress): void {
  const [bar, output] = [document.querySelector("progress"), document.querySelector("output")];
  if (bar) bar.value = percentComplete;
  if (output) output.value = status;
}

await pollUntilDone(await planned(host, succeeding), { schedule: fixed(500), onProgress: show });
await printReport(host);
