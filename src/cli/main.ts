#!/usr/bin/env node
// No static imports: an older Node would fail at one, before the check of its version.
const minMajor = 22;

if (Number.parseInt(process.versions.node, 10) < minMajor) {
  process.stderr.write(`lro needs Node ${minMajor} or newer; this is ${process.version}\n`);
  process.exitCode = 2;
} else {
  const { runProcess } = await import("./process.ts");
  await runProcess();
}
