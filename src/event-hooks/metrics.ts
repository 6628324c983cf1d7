import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DeliveryBacklog } from './delivery/backlog.ts';
import type { Hook } from './model/hook.ts';
import type { AttemptResult } from './store/types.ts';

interface HookSeries {
  labels: Record<(typeof labelNames)[number], string>;
  fired: Counter.Internal;
  suppressed: Counter.Internal;
  delivered: Counter.Internal;
  failed: Counter.Internal;
  dead: Counter.Internal;
  latency: Histogram.Internal<string>;
}

/** The numbers that are read at a scrape. */
export interface Measured {
  backlog: Pick<DeliveryBacklog, 'of'>;
  hooks: () => readonly Hook[];
  /** The store's kind, and whether its last write succeeded. */
  store: () => { kind: string; healthy: boolean };
  /** Whether this process makes the deliveries of its store. */
  delivering: () => boolean;
}

const labelNames = ['hook', 'handler', 'source'] as const;
const prefix = 'kong_ts_event_hooks_';

/** Prometheus metrics per hook and handler. Labels are ids and names, never URLs or secrets. */
export class HookMetrics {
  readonly registry = new Registry();
  readonly #series = new Map<string, HookSeries>();
  readonly #fired = this.#counter('fired_total', 'Events that fired the hook.');
  readonly #suppressed = this.#counter('suppressed_total', 'Events held back by on_change or snooze.');
  readonly #delivered = this.#counter('delivered_total', 'Deliveries that succeeded.');
  readonly #failed = this.#counter('failed_attempts_total', 'Attempts that failed.');
  readonly #dead = this.#counter('dead_total', 'Deliveries that were given up.');
  readonly #latency = new Histogram({
    name: `${prefix}attempt_seconds`,
    help: 'How long an attempt took, from its start to the end of the answer.',
    labelNames,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
    registers: [this.registry],
  });
  readonly #replayed = new Counter({
    name: `${prefix}replayed_total`,
    help: 'Deliveries that were asked for again.',
    registers: [this.registry],
  });

  constructor(measured: Measured) {
    this.#gauges(measured);
  }

  fired(hook: Hook): void {
    this.#of(hook).fired.inc();
  }
  suppressed(hook: Hook): void {
    this.#of(hook).suppressed.inc();
  }
  attempted(hook: Hook, result: AttemptResult): void {
    const series = this.#of(hook);
    series.latency.observe(result.latencyMs / 1000);
    if (result.state === 'delivered') series.delivered.inc();
    else series.failed.inc();
    if (result.state === 'dead') series.dead.inc();
  }
  replayed(count: number): void {
    this.#replayed.inc(count);
  }

  /** Adds hooks, and drops the series of hooks that are gone, or are called otherwise now. */
  keepHooks(hooks: readonly Hook[]): void {
    const kept = new Map(hooks.map((hook) => [hook.id, hook]));
    for (const [id, series] of this.#series) {
      const hook = kept.get(id);
      if (hook?.handler !== series.labels.handler || hook.source !== series.labels.source)
        this.#drop(id, series);
    }
    for (const hook of hooks) this.#of(hook);
  }

  #drop(id: string, series: HookSeries): void {
    this.#series.delete(id);
    const metrics = [this.#fired, this.#suppressed, this.#delivered, this.#failed, this.#dead, this.#latency];
    for (const metric of metrics) metric.remove(series.labels);
  }

  #of(hook: Hook): HookSeries {
    const known = this.#series.get(hook.id);
    if (known !== undefined) return known;
    const labels = { hook: hook.id, handler: hook.handler, source: hook.source };
    const series: HookSeries = {
      labels,
      fired: this.#fired.labels(labels),
      suppressed: this.#suppressed.labels(labels),
      delivered: this.#delivered.labels(labels),
      failed: this.#failed.labels(labels),
      dead: this.#dead.labels(labels),
      latency: this.#latency.labels(labels),
    };
    this.#series.set(hook.id, series);
    return series;
  }

  #counter(name: string, help: string): Counter<(typeof labelNames)[number]> {
    const counter = new Counter({ name: `${prefix}${name}`, help, labelNames, registers: [this.registry] });
    return counter;
  }

  #gauges({ backlog, hooks, store, delivering }: Measured): void {
    const registers = [this.registry];
    const queue = new Gauge({
      name: `${prefix}queue_length`,
      help: 'Deliveries that are neither made nor given up.',
      labelNames,
      registers,
      collect: () => {
        queue.reset();
        for (const { id, handler, source } of hooks()) {
          queue.set({ hook: id, handler, source }, backlog.of(id));
        }
      },
    });
    const up = new Gauge({
      name: `${prefix}store_up`,
      help: 'Whether the last write to the store succeeded.',
      labelNames: ['store'],
      registers,
      collect: () => {
        const { kind, healthy } = store();
        up.set({ store: kind }, healthy ? 1 : 0);
      },
    });
    const active = new Gauge({
      name: `${prefix}delivering`,
      help: 'Whether this process makes the deliveries of its store.',
      registers,
      collect: () => {
        active.set(delivering() ? 1 : 0);
      },
    });
  }
}
