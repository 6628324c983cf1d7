import { KongTsError } from '../../errors.ts';
import type { MetricOptions, PluginMetrics } from '../../plugin/types.ts';
import { histogramValues, type MetricJson, type MetricValue } from './metric-json.ts';

const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Series {
  readonly labels: Record<string, string>;
  value: number;
  /** Observations per bucket of a histogram. */
  readonly counts: Float64Array | null;
  /** Asked at each scrape, where the plugin gave a function. */
  collect: (() => number) | null;
}

interface Family {
  readonly type: MetricJson['type'];
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly buckets: readonly number[];
  readonly series: Map<string, Series>;
}

/**
 * The metrics that plugins keep for themselves, in one worker. Counting is a look-up and an addition; text is made
 * at a scrape, elsewhere.
 */
export class PluginMetricsStore {
  readonly #families = new Map<string, Family>();

  /** Metrics with the labels `plugin` and `instance`. `close` drops the series of this instance. */
  of(plugin: string, instance: string): PluginMetrics & { close(): void } {
    const base = { plugin, instance };
    const open = (type: MetricJson['type'], name: string, options: MetricOptions) =>
      this.#family(type, name, options);
    return {
      counter: (name, options) => {
        const family = open('counter', name, options);
        return {
          add(value = 1, labels) {
            if (value >= 0) series(family, name, base, labels).value += value;
          },
        };
      },
      gauge: (name, options) => {
        const family = open('gauge', name, options);
        if (options.collect !== undefined) series(family, name, base).collect = options.collect;
        return {
          set(value, labels) {
            series(family, name, base, labels).value = value;
          },
        };
      },
      histogram: (name, options) => {
        const family = open('histogram', name, options);
        return {
          observe(value, labels) {
            const one = series(family, name, base, labels);
            let index = 0;
            while (index < family.buckets.length && value > (family.buckets[index] ?? Infinity)) index++;
            one.value += value;
            if (one.counts !== null) one.counts[index] = (one.counts[index] ?? 0) + 1;
          },
        };
      },
      close: () => {
        for (const { series: all } of this.#families.values()) {
          for (const [key, { labels }] of all) {
            if (labels['plugin'] === plugin && labels['instance'] === instance) all.delete(key);
          }
        }
      },
    };
  }

  toJson(): MetricJson[] {
    return [...this.#families].map(([name, family]) => ({
      name,
      help: family.help,
      type: family.type,
      aggregator: 'sum' as const,
      values: [...family.series.values()].flatMap((one): MetricValue[] => {
        if (one.counts !== null) {
          return histogramValues(name, one.labels, family.buckets, one.counts, one.value);
        }
        return [{ labels: one.labels, value: one.collect === null ? one.value : collected(one.collect) }];
      }),
    }));
  }

  #family(type: MetricJson['type'], name: string, options: MetricOptions): Family {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) {
      throw new KongTsError(
        'PLUGIN_INVALID',
        `The metric name ${JSON.stringify(name)} is not one of Prometheus.`,
      );
    }
    const known = this.#families.get(name);
    if (known !== undefined) {
      if (known.type === type) return known;
      throw new KongTsError(
        'PLUGIN_INVALID',
        `The metric ${name} is a ${known.type} already, not a ${type}.`,
      );
    }
    const family: Family = {
      type,
      help: options.help,
      labelNames: options.labels ?? [],
      buckets: type === 'histogram' ? [...(options.buckets ?? defaultBuckets)].sort((a, b) => a - b) : [],
      series: new Map(),
    };
    this.#families.set(name, family);
    return family;
  }
}

function series(
  family: Family,
  name: string,
  base: { plugin: string; instance: string },
  labels?: Record<string, string>,
): Series {
  let key = `${base.plugin}\n${base.instance}`;
  for (const label of family.labelNames) key += `\n${labels?.[label] ?? ''}`;
  const known = family.series.get(key);
  if (known !== undefined) return known;
  for (const label of Object.keys(labels ?? {})) {
    if (family.labelNames.includes(label)) continue;
    throw new KongTsError('PLUGIN_INVALID', `The metric ${name} has no label ${label}.`, {
      fix: 'Name it among the labels when the metric is made.',
    });
  }
  const fresh: Series = {
    labels: { ...labels, ...base },
    value: 0,
    counts: family.type === 'histogram' ? new Float64Array(family.buckets.length + 1) : null,
    collect: null,
  };
  family.series.set(key, fresh);
  return fresh;
}

function collected(collect: () => number): number {
  try {
    return collect();
  } catch {
    return Number.NaN;
  }
}
