import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bench, tempDir } from './support/setup.ts';

describe('a store that fails', () => {
  it('loses nothing of what was emitted in the same process, in bounds', async () => {
    const b = await bench();
    await b.hook({ source: 's', handler: 'log' });
    const commit = b.dispatcher.store.commit.bind(b.dispatcher.store);
    b.dispatcher.store.commit = () => Promise.reject(new Error('broken'));
    for (let n = 0; n < 3; n += 1) b.hub.emit('s', 'e', { n });
    await b.hub.flush(50);
    expect(b.hub.transport?.stats).toMatchObject({ buffered: 3, acknowledged: 0, dropped: 0 });
    b.hub.emit('s', 'e', { big: 'x'.repeat(1024 * 1024) });
    for (let n = 0; n < 40; n += 1) b.hub.emit('s', 'e', { big: 'x'.repeat(1_000_000) });
    await new Promise((resolve) => setImmediate(resolve));
    expect(b.hub.transport?.stats.dropped).toBeGreaterThan(0);
    b.dispatcher.store.commit = commit;
    await b.hub.flush(20_000);
    await b.settled();
    const { acknowledged = 0, dropped = 0, buffered } = b.hub.transport?.stats ?? {};
    expect([acknowledged + dropped, buffered]).toEqual([44, 0]);
    const payloads = b.log.lines
      .filter((one) => one.message === 'event hook')
      .map((one) => (one.fields?.payload as { n?: number }).n);
    expect(payloads.slice(0, 3)).toEqual([0, 1, 2]);
  });

  it('whose folder has vanished is not tried in a tight loop, and events are refused with the reason', async () => {
    const dataDir = join(tempDir(), 'data');
    mkdirSync(dataDir);
    const b = await bench({ dataDir });
    await b.hook({ source: 's', handler: 'log' });
    let commits = 0;
    const commit = b.dispatcher.store.commit.bind(b.dispatcher.store);
    b.dispatcher.store.commit = () => {
      commits += 1;
      return Promise.reject(new Error('gone'));
    };
    rmSync(dataDir, { recursive: true });
    b.dispatcher.outbox.result({
      hookId: 'x',
      seq: 1,
      epoch: 1,
      state: 'delivered',
      attempts: 1,
      due: 0,
      finishedAt: 0,
      status: null,
      latencyMs: 0,
      error: null,
      response: null,
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(commits).toBeLessThanOrEqual(2);
    expect((await b.api('POST', '/event-hooks/events', { source: 's', event: 'e' })).status).toBe(503);
    b.dispatcher.store.commit = commit;
  });

  it('on a disk that is full says so, refuses, and goes on when there is room', async (context) => {
    if (process.getuid?.() !== 0 || process.platform !== 'linux')
      context.skip('only root mounts a small disk');
    const dataDir = tempDir();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dataDir], { stdio: 'ignore' });
    } catch {
      context.skip('no right to mount a small disk here');
    }
    onTestFinished(() => {
      execFileSync('umount', ['-l', dataDir]);
    });
    const b = await bench({ dataDir });
    const hook = await b.hook({ source: 's', handler: 'log' });
    const filler = join(dataDir, 'filler');
    execFileSync('sh', ['-c', `head -c 2000000 /dev/zero > "${filler}" 2>/dev/null || true`]);
    const emit = (n: number) =>
      b.api<{ message: string }>('POST', '/event-hooks/events', {
        source: 's',
        event: 'e',
        data: { n, text: 'x'.repeat(50_000) },
      });
    const refused = await emit(1);
    expect([refused.status, refused.body.message]).toEqual([503, expect.stringMatching(/disk is full|full/)]);
    expect((await b.api('GET', '/event-hooks')).body.data).toHaveLength(1);
    expect((await b.api('GET', '/event-hooks/status')).body).toMatchObject({ store_healthy: false });
    rmSync(filler);
    expect((await emit(2)).status).toBe(202);
    await b.settled();
    const { body } = await b.api<{ data: { payload: { n: number }; state: string }[] }>(
      'GET',
      `/event-hooks/${hook.id}/deliveries`,
    );
    expect(body.data.map((one) => [one.payload.n, one.state])).toEqual([[2, 'delivered']]);
    expect(b.log.lines.filter((one) => one.level === 'error').length).toBeLessThan(5);
  });
});
