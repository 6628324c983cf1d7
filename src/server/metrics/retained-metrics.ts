import type { MetricJson, MetricValue } from './metric-json.ts';

/** Series that are kept of workers that have ended, per metric. */
const most = 5000;

/**
 * The plugins' counters and histograms of workers that have ended: without them every reload would look like a
 * reset to Prometheus. Gauges end with their worker.
 */
export class RetainedMetrics {
  readonly #metrics = new Map<string, { metric: MetricJson; values: Map<string, MetricValue> }>();

  add(parts: readonly MetricJson[]): void {
    for (const part of parts) {
      if (part.type === 'gauge') continue;
      let kept = this.#metrics.get(part.name);
      if (kept === undefined) {
        kept = { metric: part, values: new Map() };
        this.#metrics.set(part.name, kept);
      }
      for (const value of part.values) {
        const key = JSON.stringify([value.metricName, value.labels]);
        const sum = kept.values.get(key);
        if (sum !== undefined) sum.value += value.value;
        else if (kept.values.size < most) kept.values.set(key, { ...value });
      }
    }
  }

  toJson(): MetricJson[] {
    return [...this.#metrics.values()].map(({ metric, values }) => ({
      ...metric,
      values: [...values.values()].map((value) => ({ ...value })),
    }));
  }
}
