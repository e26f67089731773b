// Run as a process of its own, in a folder whose node_modules hold no OpenTelemetry, with the library's sources.
const sources = new URL(`file://${process.cwd()}/src/`);
const { OperationStatusesClient, pollUntilDone }: typeof import("lro-poller") = await import(
  new URL("index.ts", sources).href
);
const { startOperationStatusServer }: typeof import("lro-poller/testing") = await import(
  new URL("testing/index.ts", sources).href
);

const server = await startOperationStatusServer();
const { operationLocation } = server.addOperation({
  timeline: [{ status: "Succeeded", properties: "done" }],
});
const operation = new OperationStatusesClient(server.endpoint).operationAt(operationLocation);
const given: string[] = [];
const read = operation.read.bind(operation);
operation.read = (options) => {
  given.push(...Object.keys(options));
  return read(options);
};
const result = await pollUntilDone(operation);
await server.close();

const refusal: unknown = await import(new URL("opentelemetry.ts", sources).href).catch(
  (error: unknown) => error,
);
console.log(JSON.stringify({ result, given, refusal: String(refusal) }));
