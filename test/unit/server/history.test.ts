import { expect, it } from 'vitest';
import { memoryLog } from '../../support/connection-host.ts';
import type { LogLine } from '../../support/connection-host.ts';
import { HandlerFailures, youngestOf } from '../../../src/server/metrics/handler-failures.ts';
import { historyEveryMs, StatsHistory } from '../../../src/server/metrics/history.ts';
import { createPluginStats, observe } from '../../../src/server/metrics/phase-stats.ts';
import type { PluginStats } from '../../../src/server/metrics/phase-stats.ts';

it('what came to the counters between two looks is a point, with percentiles of that time alone', () => {
  const stats: Record<string, PluginStats> = { p: createPluginStats() };
  const { access, log } = stats.p ?? createPluginStats();
  observe(access, 5);
  const history = new StatsHistory(() => stats);
  history.look(-3_600_000);
  for (let n = 0; n < 98; n += 1) observe(access, 0.0005);
  for (let n = 0; n < 2; n += 1) observe(access, 0.2);
  access.errors += 3;
  access.calls += 150;
  access.sends += 50;
  history.look(1000);
  observe(log, 99);
  history.look(2000);
  // Nothing has happened.
  history.look(3000);
  const [first, second, ...others] = history.show();
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    plugin: 'p',
    phase: 'access',
    points: [{ at: 1000, events: 100, errors: 3, timeouts: 0, calls: 200 }],
  });
  const [point] = first?.points ?? [];
  expect(point?.p50).toBeGreaterThan(0.00025);
  expect(point?.p50).toBeLessThanOrEqual(0.0005);
  expect(point?.p99).toBeGreaterThan(0.1);
  expect(point?.p99).toBeLessThanOrEqual(0.25);
  // Above every bound.
  expect(second).toMatchObject({ phase: 'log', points: [{ at: 2000, events: 1, p50: 10 }] });
});

it('points are kept for an hour, and a phase without one is forgotten', () => {
  const stats = { p: createPluginStats() };
  const history = new StatsHistory(() => stats);
  for (let look = 1; look <= 300; look += 1) {
    observe(stats.p.access, 0.001);
    if (look === 1) observe(stats.p.log, 0.001);
    history.look(look * historyEveryMs);
  }
  const shown = history.show();
  expect(shown.map(({ phase }) => phase)).toEqual(['access']);
  expect(shown[0]?.points.map(({ at }) => at / historyEveryMs)).toEqual(
    Array.from({ length: 240 }, (_, index) => index + 61),
  );
});

it('counters that go back, as a worker was killed that nobody had asked, count as none', () => {
  let stats = { p: createPluginStats() };
  for (let n = 0; n < 5; n += 1) observe(stats.p.access, 0.001);
  const history = new StatsHistory(() => stats);
  history.look(-3_600_000);
  stats = { p: createPluginStats() };
  observe(stats.p.access, 0.001);
  history.look(1000);
  observe(stats.p.access, 0.001);
  history.look(2000);
  expect(history.show()).toMatchObject([{ points: [{ at: 2000, events: 1 }] }]);
});

it('the last failures of handlers are remembered as they are logged, in a bounded number and length', () => {
  const failures = new HandlerFailures();
  const lines: LogLine[] = [];
  const log = memoryLog(lines);
  const heard = failures.listenTo(log);
  heard.error('something else', { path: '/x' });
  heard.warn('a warning', { plugin: 'p', phase: 'access' });
  for (let n = 0; n < 30; n += 1)
    heard.child({}).error(`failure ${String(n)}`, { plugin: 'p', phase: 'access', stack: 'x'.repeat(9000) });
  heard.error('failure without a stack', { plugin: 'p', phase: 'log' });
  expect(lines).toHaveLength(33);
  expect(failures.list).toHaveLength(20);
  expect(failures.list[0]).toMatchObject({ plugin: 'p', phase: 'access', message: 'failure 11' });
  expect(failures.list[0]?.stack).toHaveLength(4096);
  expect(failures.list.at(-1)).toMatchObject({ phase: 'log', stack: null });
  const older = [{ at: 1, plugin: 'q', phase: 'log', message: 'old', stack: null }];
  const young = youngestOf([older, failures.list.slice(0, 3)]);
  expect(young.map(({ plugin }) => plugin)).toEqual(['p', 'p', 'p', 'q']);
});
