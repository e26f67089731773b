/** Bundles the workflow for its sandbox. Returns what is wrong: it may import no transport. */
export async function checkTemporalBundle(): Promise<string[]> {
  const { bundleWorkflow } = await import("../../examples/durable/temporal.ts");
  const { code } = await bundleWorkflow();
  // The source map is the last line.
  const [, map = ""] = code.split("sourceMappingURL=data:application/json;charset=utf-8;base64,");
  const { sources }: { sources: string[] } = JSON.parse(Buffer.from(map, "base64").toString());
  const own = sources.filter((source) => /\/src\/durable\//.test(source));
  const transports = sources.filter((source) => /\/src\/azure\/|\/@azure\//.test(source));
  const bytes = (code.length - map.length).toLocaleString("en");
  console.log(`temporal (bundled, not run): ${bytes} bytes, ${sources.length} files`);
  return [
    ...(own.length === 0 ? ["temporal: lro-poller/durable/outcome is not in the bundle"] : []),
    ...transports.map((source) => `temporal: the workflow imports ${source}`),
  ];
}
