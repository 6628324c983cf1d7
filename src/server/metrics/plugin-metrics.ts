import { KongTsError } from '../../base/errors.ts';
import type { MetricOptions, PluginMetrics } from '../../plugin/index.ts';
import type { MetricJson, MetricValue } from './metric-json.ts';
import { histogramValues } from './metric-json.ts';

const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How many closed configurations keep their counters. Prometheus takes a sum that loses a part for a reset. */
const keptClosed = 1000;
/** Series that one metric may have, so that a label with endless values cannot fill the memory. */
const mostSeries = 5000;
/**
 * The label's value for observations beyond that: one more series for each configuration, and at most this many in all.
 */
const otherValue = 'other';
const mostOthers = 1000;
/** Longer values of labels are cut, in UTF-16 units. */
const longestValue = 256;

interface Series {
  readonly key: string;
  readonly labels: Record<string, string>;
  value: number;
  /** Observations per bucket of a histogram. */
  readonly counts: Float64Array | null;
  /** Asked at each scrape, where the plugin gave a function. */
  collect: (() => number) | null;
  /** Whose function that is. */
  owner: object | null;
}

interface Family {
  readonly type: MetricJson['type'];
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly buckets: readonly number[];
  readonly series: Map<string, Series>;
  /** Observations that found no room, see `mostSeries`. */
  dropped: number;
}

/**
 * The metrics that plugins keep for themselves, in one worker. Counting is a look-up and an addition; text is made
 * at a scrape, elsewhere.
 */
export class PluginMetricsStore {
  readonly #families = new Map<string, Family>();
  /** Configurations that use their metrics, by what their series' keys begin with. */
  readonly #users = new Map<string, number>();
  readonly #closed = new Set<string>();

  /**
   * Metrics with the labels `plugin` and `instance`. Several configurations may share them: Kong starts the new one
   * before it closes the old one. `close` drops what this one asks for by a function and, after the last one, the
   * gauges. Counters stay.
   */
  of(plugin: string, instance: string): PluginMetrics & { close(): void } {
    const base = { plugin, instance };
    const prefix = keyOf(base);
    const owner = {};
    this.#users.set(prefix, (this.#users.get(prefix) ?? 0) + 1);
    this.#closed.delete(prefix);
    let isOpen = true;
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
        if (options.collect !== undefined) {
          Object.assign(series(family, name, base), { collect: options.collect, owner });
        }
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
        if (!isOpen) return;
        isOpen = false;
        const users = (this.#users.get(prefix) ?? 1) - 1;
        if (users > 0) this.#users.set(prefix, users);
        else {
          this.#users.delete(prefix);
          this.#closed.add(prefix);
        }
        this.#drop(
          (type, one) => type === 'gauge' && (one.owner === owner || (users === 0 && of(one, prefix))),
        );
        for (const oldest of this.#closed) {
          if (this.#closed.size <= keptClosed) break;
          this.#closed.delete(oldest);
          this.#drop((_, one) => of(one, oldest));
        }
      },
    };
  }

  toJson(): MetricJson[] {
    const all = [...this.#families];
    const dropped = all.filter(([, family]) => family.dropped > 0);
    return [...this.#ofPlugins(all), ...(dropped.length === 0 ? [] : [droppedMetric(dropped)])];
  }

  #ofPlugins(all: readonly [string, Family][]): MetricJson[] {
    return all.map(([name, family]) => ({
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

  #drop(which: (type: MetricJson['type'], series: Series) => boolean): void {
    for (const { type, series: all } of this.#families.values()) {
      for (const [key, one] of all) if (which(type, one)) all.delete(key);
    }
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
      dropped: 0,
    };
    this.#families.set(name, family);
    return family;
  }
}

function series(
  family: Family,
  name: string,
  base: { plugin: string; instance: string },
  given?: Record<string, string>,
): Series {
  let labels = given;
  let key = keyOf(base);
  for (const label of family.labelNames) key += `\n${valueOf(given, label)}`;
  let known = family.series.get(key);
  if (known !== undefined) return known;
  if (family.series.size >= mostSeries && family.labelNames.length > 0) {
    labels = Object.fromEntries(family.labelNames.map((label) => [label, otherValue]));
    key = keyOf(base) + family.labelNames.map(() => `\n${otherValue}`).join('');
    known = family.series.get(key);
    if (known !== undefined) return known;
  }
  for (const label of Object.keys(given ?? {})) {
    if (family.labelNames.includes(label)) continue;
    throw new KongTsError('PLUGIN_INVALID', `The metric ${name} has no label ${label}.`, {
      fix: 'Name it among the labels when the metric is made.',
    });
  }
  const fresh: Series = {
    key,
    labels: {
      ...Object.fromEntries(Object.keys(labels ?? {}).map((label) => [label, valueOf(labels, label)])),
      ...base,
    },
    value: 0,
    counts: family.type === 'histogram' ? new Float64Array(family.buckets.length + 1) : null,
    collect: null,
    owner: null,
  };
  const most = mostSeries + (labels === given ? 0 : mostOthers);
  if (family.series.size < most) family.series.set(key, fresh);
  else family.dropped++;
  return fresh;
}

function valueOf(labels: Record<string, string> | undefined, label: string): string {
  const value = String(labels?.[label] ?? '');
  return value.length > longestValue ? value.slice(0, longestValue) : value;
}

function keyOf({ plugin, instance }: { plugin: string; instance: string }): string {
  return `${plugin}\n${instance}\n`;
}

function of({ key }: Series, prefix: string): boolean {
  return key.startsWith(prefix);
}

function droppedMetric(families: readonly [string, Family][]): MetricJson {
  return {
    name: 'kong_ts_plugin_series_dropped_total',
    help: `Observations of plugins' metrics that were dropped because the metric has ${mostSeries} series already.`,
    type: 'counter',
    aggregator: 'sum',
    values: families.map(([metric, { dropped }]) => ({ labels: { metric }, value: dropped })),
  };
}

function collected(collect: () => number): number {
  try {
    return collect();
  } catch {
    return Number.NaN;
  }
}
