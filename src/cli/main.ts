#!/usr/bin/env node
// Nothing is imported up here: an older Node would fail at an import, before it could say that it is too old.
const oldestMajor = 22;

if (Number.parseInt(process.versions.node, 10) < oldestMajor) {
  process.stderr.write(`lro needs Node ${oldestMajor} or newer; this is ${process.version}\n`);
  process.exitCode = 2;
} else {
  const { runProcess } = await import("./process.ts");
  await runProcess();
}
