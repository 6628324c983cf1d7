import type { MetricJson } from './metric-json.ts';

/**
 * The text that Prometheus reads, metrics of the same name and labels added up over all parts. prom-client is
 * imported at the first scrape only: a server that nobody scrapes starts faster.
 */
export async function exposition(
  parts: readonly (readonly MetricJson[])[],
): Promise<{ type: string; text: string }> {
  const { AggregatorRegistry } = await import('prom-client');
  const registry = AggregatorRegistry.aggregate(parts.map((part) => [...part]));
  return { type: registry.contentType, text: await registry.metrics() };
}
