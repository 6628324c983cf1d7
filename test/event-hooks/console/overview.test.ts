import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { handlerKinds } from '../../../src/event-hooks/handlers/kinds.ts';
import { serverReports } from '../../../src/event-hooks/serve/server-report.ts';
import { ManualClock } from '../support/clock.ts';
import { bench, tempDir } from '../support/setup.ts';

const report = {
  status: {
    state: 'running',
    pid: 7,
    startedAt: 1_700_000_000_000,
    sockets: [],
    plugins: [
      {
        name: 'p',
        version: '1.0.0',
        priority: 10,
        protocol: 'msgpack',
        phases: ['access'],
        fingerprint: 'x',
      },
    ],
    failures: [{ spec: 'q', message: 'it throws', stack: 'at q.ts:1' }],
    workers: [
      {
        slot: 0,
        pid: 8,
        state: 'ready',
        startedAt: 1_700_000_001_000,
        connections: 2,
        rss: 1,
        loopDelay: 0.0105,
        events: 5,
      },
      {
        slot: 1,
        pid: null,
        state: 'starting',
        startedAt: 0,
        connections: 0,
        rss: null,
        loopDelay: null,
        events: 0,
      },
    ],
    instances: 3,
    recalledInstances: 0,
    unknownInstances: 1,
    waitingConnections: 0,
    restarts: { died: 2 },
    eventHooks: null,
  },
  everyMs: 15_000,
  history: [
    {
      plugin: 'p',
      phase: 'access',
      points: [
        {
          at: 1_700_000_015_000,
          events: 30,
          errors: 1,
          timeouts: 0,
          calls: 60,
          p50: 0.001,
          p95: 0.01,
          p99: null,
        },
      ],
    },
  ],
  failures: [{ at: 1_700_000_014_000, plugin: 'p', phase: 'access', message: 'no', stack: 'at p.ts:3' }],
};

describe('the plugin server', () => {
  it('is shown as its control socket says it, in the units of the API', async () => {
    const server = { read: async () => JSON.parse(JSON.stringify(report)) as unknown };
    const b = await bench({}, null, handlerKinds, { server });
    expect((await b.api('GET', '/event-hooks/plugins')).body).toMatchObject({
      server: {
        pid: 7,
        started_at: 1_700_000_000,
        workers: [
          { loop_delay_ms: 10.5, rss_bytes: 1 },
          { pid: null, rss_bytes: null },
        ],
        failures: [{ spec: 'q', stack: 'at q.ts:1' }],
        restarts: { died: 2 },
      },
      series: {
        every_seconds: 15,
        plugins: [
          {
            points: [
              { at: 1_700_000_015, events_per_second: 2, calls_per_event: 2, p50_ms: 1, p99_ms: null },
            ],
          },
        ],
      },
      errors: [{ at: 1_700_000_014, message: 'no', stack: 'at p.ts:3' }],
      reason: null,
    });
  });

  it('that is not there, does not answer or answers something else, is null and says why', async () => {
    for (const [server, reason] of [
      [null, /by itself/],
      [{ read: () => Promise.reject(new Error('connect ENOENT')) }, /does not answer: connect ENOENT/],
      [{ read: async () => ({ status: 'fine' }) }, /does not answer/],
    ] as const) {
      const b = await bench({}, null, handlerKinds, { server });
      const { status, body } = await b.api('GET', '/event-hooks/plugins');
      expect([status, body.server, body.series]).toEqual([200, null, null]);
      expect(body.reason).toMatch(reason);
    }
  });

  it('is asked over its socket, with bounds', async () => {
    const path = join(tempDir(), 'control.sock');
    let answer = (): string => JSON.stringify(report);
    const listener = createServer((request, response) => {
      if (request.url === '/plugins') response.end(answer());
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => listener.listen(path, resolve));
    onTestFinished(() => void listener.close());
    expect(await serverReports(path)?.read()).toMatchObject({ everyMs: 15_000 });
    expect(serverReports(null)).toBeNull();
    answer = () => 'no JSON';
    await expect(serverReports(path)?.read()).rejects.toThrow(/JSON/);
    answer = () => 'x'.repeat(33 * 1024 * 1024);
    await expect(serverReports(path)?.read()).rejects.toThrow('too large');
    await expect(serverReports(`${path}.gone`)?.read()).rejects.toThrow(/ENOENT/);
  });
});

describe('the store', () => {
  it('says what it is, how large, who delivers and how far behind that is', async () => {
    const dataDir = tempDir();
    const b = await bench({ dataDir });
    const read = async () => (await b.api('GET', '/event-hooks/store')).body;
    expect(await read()).toMatchObject({
      kind: 'sqlite',
      durable: true,
      healthy: true,
      folder: dataDir,
      size_reason: null,
      delivering: true,
      lease: { epoch: 1, mine: true, reason: null },
      unfinished: 0,
      lag_seconds: 0,
      lag_reason: null,
      watcher: { watching: false, kong: null, reason: expect.any(String) as string },
      retention: { age_seconds: 604_800, events: 100_000 },
      nodes: null,
    });
    expect((await read()).size_bytes).toBeGreaterThan(4096);
    const other = await bench({ dataDir }, null, handlerKinds, {
      watcher: { status: () => ({ watching: true, kong: 'http://kong:8001' }) },
    });
    expect((await other.api('GET', '/event-hooks/store')).body).toMatchObject({
      delivering: false,
      lease: { mine: false, epoch: 1 },
      lag_seconds: null,
      lag_reason: expect.any(String) as string,
      watcher: { watching: true, kong: 'http://kong:8001', reason: null },
    });
  });

  it('has a lag of the oldest delivery that waits for its turn, and null with a reason for what it cannot say', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock });
    b.receiver.answer = () => undefined;
    await b.hook({
      source: 's',
      event: 'e',
      handler: 'webhook',
      concurrency: 1,
      config: { url: b.receiver.url('/x') },
    });
    const event = (n: number) => ({
      id: `id-${String(n)}`,
      source: 's',
      event: 'e',
      data: '{}',
      at: clock.now(),
    });
    await b.dispatcher.accept([event(0), event(1), event(2)]);
    await clock.advance(2500);
    b.dispatcher.store.size = () => Promise.reject(new Error('the disk is away'));
    b.dispatcher.store.leaseHolder = () => Promise.resolve(null);
    const { body } = await b.api<Record<string, number>>('GET', '/event-hooks/store');
    expect(body).toMatchObject({
      size_bytes: null,
      size_reason: 'the disk is away',
      lease: { owner: null, reason: 'Nobody delivers.' },
    });
    expect(body.lag_seconds).toBeGreaterThanOrEqual(2.5);
  });
});
