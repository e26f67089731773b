// Sets up the OpenTelemetry SDK as a user does. It prints the name of each span, and at the end that of each metric.
import { metrics, trace } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const spans = {
  export(finished, done) {
    for (const { name } of finished) console.log(name);
    done({ code: 0 });
  },
  shutdown: async () => {},
};
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter });
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
const printMetrics = () => {
  const [collected] = exporter.getMetrics();
  for (const { descriptor } of collected?.scopeMetrics[0]?.metrics ?? []) console.log(descriptor.name);
};
process.once("beforeExit", () => void reader.forceFlush().then(printMetrics));
