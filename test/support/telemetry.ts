import { createRequire } from "node:module";
import { createAzureSdkInstrumentation } from "@azure/opentelemetry-instrumentation-azure-sdk";
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import type { DataPoint, Histogram } from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  AlwaysOnSampler,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";

/** Sets up OpenTelemetry's SDK for this process, and connects Azure's packages to it as their users do. */
export function startTracing(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter();
  const sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() });
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ sampler, spanProcessors }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  createAzureSdkInstrumentation();
  // It sets up core-tracing when that is required for the first time.
  createRequire(import.meta.url)("@azure/core-tracing");
  return exporter;
}

/** Returns each span as the path of its parents: `Poller.wait > HTTP GET`. */
export function pathsOf(spans: readonly ReadableSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const pathOf = (span: ReadableSpan): string => {
    const parent = byId.get(span.parentSpanContext?.spanId ?? "");
    return parent ? `${pathOf(parent)} > ${span.name}` : span.name;
  };
  return spans.map(pathOf).toSorted();
}

/** Collects metrics: counters by name and attributes, and histograms likewise as `[count, sum]`. */
export class RecordedMetrics {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly #reader = new PeriodicExportingMetricReader({ exporter: this.#exporter });
  readonly provider: MeterProvider = new MeterProvider({ readers: [this.#reader] });

  async collect(): Promise<Record<string, { unit: string; points: [object, number | number[]][] }>> {
    await this.#reader.forceFlush();
    const metrics =
      this.#exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return Object.fromEntries(
      metrics.map(({ descriptor: { name, unit }, dataPoints }) => [
        name,
        { unit, points: dataPoints.map(({ attributes, value }) => [attributes, figuresOf(value)]) },
      ]),
    );
  }
}

function figuresOf(value: DataPoint<number | Histogram | object>["value"]): number | number[] {
  if (typeof value === "number") return value;
  if ("sum" in value && "count" in value) return [value.count, value.sum ?? Number.NaN];
  throw new TypeError("expected a counter or a histogram with explicit bounds");
}
