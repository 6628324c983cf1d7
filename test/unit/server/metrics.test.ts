import { describe, expect, it } from 'vitest';
import { addStats } from '../../../src/server/metrics/aggregate.ts';
import { exposition } from '../../../src/server/metrics/exposition.ts';
import { createPluginStats, observe } from '../../../src/server/metrics/phase-stats.ts';
import { PluginMetricsStore } from '../../../src/server/metrics/plugin-metrics.ts';
import { serverMetrics } from '../../../src/server/metrics/server-metrics.ts';

describe('the metrics of the server', () => {
  it('adds the counters of all workers up', async () => {
    const [one, two] = [createPluginStats(), createPluginStats()];
    observe(one.access, 0.0004);
    observe(two.access, 0.3);
    observe(two.access, 99);
    two.access.calls = 7;
    const stats = addStats(addStats({}, { p: one }), { p: two });
    const own = serverMetrics({
      stats,
      workers: [],
      restarts: { died: 2 },
      waitingConnections: 0,
      unknownInstances: 0,
      socketGap: null,
      instances: 3,
      pluginsFailed: 0,
    });
    const { text } = await exposition([own]);
    expect(text).toContain('kong_ts_events_total{plugin="p",phase="access"} 3');
    expect(text).toContain('kong_ts_pdk_calls_total{plugin="p",phase="access"} 7');
    expect(text).toContain('kong_ts_event_duration_seconds_bucket{plugin="p",phase="access",le="0.0005"} 1');
    expect(text).toContain('kong_ts_event_duration_seconds_bucket{plugin="p",phase="access",le="0.5"} 2');
    expect(text).toContain('kong_ts_event_duration_seconds_bucket{plugin="p",phase="access",le="+Inf"} 3');
    expect(text).toContain('kong_ts_event_duration_seconds_count{plugin="p",phase="access"} 3');
    expect(text).toContain('kong_ts_worker_restarts_total{reason="died"} 2');
    expect(text).not.toContain('phase="log"');
  });
});

describe('the metrics of plugins', () => {
  it('carry plugin and instance, and add up over workers', async () => {
    const workers = [new PluginMetricsStore(), new PluginMetricsStore()];
    for (const store of workers) {
      const metrics = store.of('p', 'i1');
      metrics.counter('sent_total', { help: 'Sent.', labels: ['to'] }).add(2, { to: 'x' });
      metrics.gauge('queue', { help: 'Queue.', collect: () => 5 });
      metrics.histogram('took_seconds', { help: 'Took.', buckets: [1, 2] }).observe(1.5);
    }
    const { text } = await exposition(workers.map((store) => store.toJson()));
    expect(text).toContain('sent_total{to="x",plugin="p",instance="i1"} 4');
    expect(text).toContain('queue{plugin="p",instance="i1"} 10');
    expect(text).toContain('took_seconds_bucket{plugin="p",instance="i1",le="1"} 0');
    expect(text).toContain('took_seconds_bucket{plugin="p",instance="i1",le="2"} 2');
    expect(text).toContain('took_seconds_sum{plugin="p",instance="i1"} 3');
  });

  it('keep counters and drop gauges when the instance goes', () => {
    const store = new PluginMetricsStore();
    const [one, two] = [store.of('p', 'i1'), store.of('p', 'i2')];
    for (const metrics of [one, two]) {
      metrics.counter('n_total', { help: 'N.' }).add();
      metrics.gauge('depth', { help: 'Depth.' }).set(3);
    }
    one.close();
    const instances = store.toJson().map(({ values }) => values.map(({ labels }) => labels['instance']));
    expect(instances).toEqual([['i1', 'i2'], ['i2']]);
  });

  it('survive a change of the configuration: Kong starts the new instance before it closes the old one', () => {
    const store = new PluginMetricsStore();
    const before = store.of('p', 'i');
    before.counter('n_total', { help: 'N.' }).add(5);
    before.gauge('depth', { help: 'Depth.', collect: () => 1 });
    const after = store.of('p', 'i');
    after.counter('n_total', { help: 'N.' }).add(2);
    after.gauge('depth', { help: 'Depth.', collect: () => 7 });
    before.close();
    expect(store.toJson().map(({ values }) => values[0]?.value)).toEqual([7, 7]);
  });

  it('stay within bounds: closed configurations and labels with endless values', () => {
    const store = new PluginMetricsStore();
    for (let index = 0; index < 1500; index++) {
      const metrics = store.of('p', String(index));
      metrics.counter('n_total', { help: 'N.' }).add();
      metrics.close();
    }
    expect(store.toJson()[0]?.values).toHaveLength(1000);
    const counter = store.of('q', 'i').counter('m_total', { help: 'M.', labels: ['path'] });
    for (let index = 0; index < 6000; index++) counter.add(1, { path: `/${index}` });
    for (let index = 0; index < 1500; index++)
      store
        .of('q', `i${index}`)
        .counter('m_total', { help: 'M.', labels: ['path'] })
        .add(1, { path: 'new' });
    const [, labelled, dropped] = store.toJson();
    expect(labelled?.values).toHaveLength(6000);
    // Nothing that was counted is missing in the sum but what even a series for others has no room for.
    expect(labelled?.values.find(({ labels }) => labels['path'] === 'other')).toEqual({
      labels: { path: 'other', plugin: 'q', instance: 'i' },
      value: 1000,
    });
    expect(dropped).toMatchObject({ name: 'kong_ts_plugin_series_dropped_total', values: [{ value: 501 }] });
  });

  it('cut the values of labels that are long', () => {
    const store = new PluginMetricsStore();
    const counter = store.of('q', 'i').counter('m_total', { help: 'M.', labels: ['path'] });
    counter.add(1, { path: 'x'.repeat(100_000) });
    counter.add(1, { path: `${'x'.repeat(256)}y` });
    expect(store.toJson()[0]?.values).toEqual([
      { labels: { path: 'x'.repeat(256), plugin: 'q', instance: 'i' }, value: 2 },
    ]);
  });

  it('refuse a name, a label or a type that does not fit', () => {
    const metrics = new PluginMetricsStore().of('p', 'i');
    const counter = metrics.counter('n_total', { help: 'N.' });
    expect(() => metrics.gauge('n_total', { help: 'N.' })).toThrow(/is a counter already/);
    expect(() => metrics.gauge('n-total', { help: 'N.' })).toThrow(/not one of Prometheus/);
    expect(() => counter.add(1, { to: 'x' })).toThrow(/no label to/);
  });
});
