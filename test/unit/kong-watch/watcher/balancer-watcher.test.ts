import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KongAdmin } from '../../../../src/kong-admin/client.ts';
import { silentLog } from '../../../../src/event-hooks/log.ts';
import type { HookEvent } from '../../../../src/event-hooks/model/event.ts';
import { BalancerWatcher } from '../../../../src/kong-watch/watcher/balancer-watcher.ts';
import { MemorySnapshots } from '../../../../src/kong-watch/watcher/snapshot/memory.ts';
import { FakeKongAdmin } from '../../../support/fake-kong-admin.ts';
import { ManualClock } from './manual-clock.ts';

const checked = { active: { healthy: { interval: 1 }, unhealthy: { interval: 1 } } };
const unchecked = { active: { healthy: { interval: 0 } }, passive: { healthy: { successes: 0 } } };

let kong: FakeKongAdmin;
let emitted: HookEvent[];
let listening: boolean;
let watcher: BalancerWatcher;

const health = (upstream: string, state: string, ip = '10.0.0.1'): void => {
  kong.health.set(upstream, [
    {
      target: 'app.example:80',
      health: state,
      data: { host: 'app.example', addresses: [{ ip, port: 80, health: state }] },
    },
  ]);
};

beforeEach(async () => {
  kong = await FakeKongAdmin.start({ '/upstreams': 'upstreams' });
  emitted = [];
  listening = true;
  kong.put('/upstreams', { id: 'u1', name: 'one', healthchecks: checked });
  health('u1', 'HEALTHY');
  watcher = new BalancerWatcher({
    admin: new KongAdmin({ url: kong.url, timeoutMs: 20_000 }),
    snapshots: new MemorySnapshots(),
    wants: () => listening,
    emit: (events) => {
      emitted.push(...events);
      return Promise.resolve();
    },
    clock: new ManualClock(),
    log: silentLog,
  });
});
afterEach(async () => {
  await watcher.close();
  await kong.close();
});

const told = (): unknown[] => emitted.map((event) => JSON.parse(event.data) as unknown);

describe('balancer health', () => {
  it('emits each change of an address once, and nothing at the first look', async () => {
    await watcher.pollNow();
    health('u1', 'UNHEALTHY');
    await watcher.pollNow();
    await watcher.pollNow();
    health('u1', 'HEALTHY');
    await watcher.pollNow();
    const common = { upstream_id: 'u1', ip: '10.0.0.1', port: 80, hostname: 'app.example' };
    expect(told()).toEqual([
      { ...common, health: 'unhealthy' },
      { ...common, health: 'healthy' },
    ]);
    expect(emitted.map(({ source, event }) => `${source}/${event}`)).toEqual([
      'balancer/health',
      'balancer/health',
    ]);
    expect(new Set(emitted.map((event) => event.id)).size).toBe(2);
  });

  it('does not ask about upstreams without health checks', async () => {
    kong.put('/upstreams', { id: 'u2', name: 'two', healthchecks: unchecked });
    health('u2', 'HEALTHCHECKS_OFF');
    await watcher.pollNow();
    expect(kong.requests.some((line) => line.includes('/upstreams/u2/health'))).toBe(false);
  });

  it('an address that is missing from one answer and comes back in other health has changed', async () => {
    await watcher.pollNow();
    kong.health.set('u1', [{ target: 'app.example:80', data: { host: 'app.example', addresses: [] } }]);
    await watcher.pollNow();
    health('u1', 'UNHEALTHY');
    await watcher.pollNow();
    expect(told()).toMatchObject([{ ip: '10.0.0.1', health: 'unhealthy' }]);
    // With its target it is forgotten.
    kong.health.set('u1', []);
    await watcher.pollNow();
    health('u1', 'HEALTHY');
    await watcher.pollNow();
    expect(told()).toHaveLength(1);
  });

  it('passive checks count', async () => {
    kong.put('/upstreams', { id: 'u1', healthchecks: { passive: { unhealthy: { http_failures: 3 } } } });
    await watcher.pollNow();
    health('u1', 'UNHEALTHY');
    await watcher.pollNow();
    expect(told()).toHaveLength(1);
  });

  it('an error, or a Kong that is restarting, is not a change', async () => {
    await watcher.pollNow();
    kong.fault = (request) => (request.includes('/health') ? { status: 500 } : null);
    await watcher.pollNow();
    kong.fault = () => null;
    await watcher.pollNow();
    expect(told()).toEqual([]);
  });

  it('asks nothing while nobody listens', async () => {
    listening = false;
    await watcher.pollNow();
    expect(kong.requests).toEqual([]);
  });
});
