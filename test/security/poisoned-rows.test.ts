import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bench, tempDir } from '../event-hooks/support/setup.ts';
import { SqliteSnapshots } from '../../src/kong-watch/watcher/snapshot/sqlite.ts';

const huge = '4611686018427387905';

/** Writes to a file of the data folder as something outside of it would. */
function tamper(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

/** A dispatcher whose target fails until `answers` is turned, with a few events stored. */
async function withStored(hook: object = {}) {
  const dataDir = tempDir();
  const first = await bench({ dataDir, retrySchedule: [3600] });
  first.receiver.answer = (_request, response) => response.writeHead(500).end();
  const { id } = await first.hook({
    source: 's',
    handler: 'webhook',
    config: { url: first.receiver.url('/x') },
    ...hook,
  });
  await first.settled();
  for (let n = 0; n < 5; n += 1) first.hub.emit('s', 'e', { n });
  await first.settled();
  await first.dispatcher.stop(500);
  first.receiver.received.length = 0;
  first.receiver.answer = (_request, response) => response.end('ok');
  return { dataDir, id, receiver: first.receiver, file: join(dataDir, 'event-hooks.db') };
}

describe('single rows of the store that make no sense', () => {
  it.each([
    ['a time of an event', `UPDATE events SET at = ${huge}`],
    ['a time that is text', `UPDATE events SET at = 'never'`],
    ['a payload that is a blob', `UPDATE events SET payload = x'00ff'`],
    ['attempts', `UPDATE deliveries SET attempts = ${huge}`],
    ['a latency and a status', `UPDATE deliveries SET status = ${huge}, latency = 'x', finished = ${huge}`],
    ['attempts kept', `UPDATE attempts SET attempt = ${huge}, finished = ${huge}, status = ${huge}`],
    ['a state', `UPDATE deliveries SET state = 77`],
    ['a due time', `UPDATE deliveries SET due = ${huge}`],
    ['a lease', `INSERT OR REPLACE INTO lease VALUES (1, 'x', 'elsewhere', 1, ${huge})`],
    ['an epoch', `INSERT OR REPLACE INTO epochs VALUES (1, 'x', ${huge})`],
    ['an epoch that is text', `INSERT OR REPLACE INTO epochs VALUES (1, x'00ff', 'never')`],
    ['a firing', `INSERT INTO firings VALUES (1, '', 'x', ${huge}, ${huge})`],
  ])('%s: the other events are delivered, and all can be shown', async (_what, sql) => {
    const { dataDir, id, file, receiver } = await withStored({ on_change: true });
    // One row in three.
    tamper(
      file,
      sql.startsWith('UPDATE events')
        ? `${sql} WHERE seq = 3`
        : /^UPDATE (deliveries|attempts)/.test(sql)
          ? `${sql} WHERE seq = 3`
          : sql,
    );
    tamper(file, `UPDATE deliveries SET due = 0 WHERE state = 1 AND due < ${huge}`);
    const second = await bench({ dataDir, retrySchedule: [3600] });
    await receiver.untilTrue(() => new Set(receiver.bodies('/x').map((one) => one.n)).size >= 4);
    const page = await second.api<{ data: unknown[] }>('GET', `/event-hooks/${id}/deliveries`);
    expect(page.status).toBe(200);
    expect(page.body.data.length).toBeGreaterThanOrEqual(5);
    second.hub.emit('s', 'e', { n: 'new' });
    await second.hub.flush();
    await receiver.untilTrue(() => receiver.bodies('/x').some((one) => one.n === 'new'));
    expect(second.dispatcher.store.kind).toBe('sqlite');
  });

  it('a payload that is not an object any more is given up at once and said, not sent', async () => {
    const { dataDir, id, file, receiver } = await withStored();
    tamper(file, `UPDATE events SET payload = 'gar{bage' WHERE seq = 3`);
    tamper(file, `UPDATE deliveries SET due = 0 WHERE state = 1`);
    const second = await bench({ dataDir, retrySchedule: [3600] });
    await receiver.untilTrue(() => receiver.at('/x').length >= 4);
    await second.settled();
    expect(receiver.at('/x').some((one) => one.body.includes('bage'))).toBe(false);
    const dead = await second.api<{ data: { error: string }[] }>(
      'GET',
      `/event-hooks/${id}/deliveries?state=dead`,
    );
    expect(dead.body.data.map((one) => one.error)).toEqual(['the stored event is not a JSON object']);
  });
});

describe('a file that opens, and cannot be read', () => {
  it.each([
    ['a table is not there', (file: string) => tamper(file, 'DROP TABLE hooks')],
    [
      'pages are damaged',
      (file: string) => {
        tamper(file, 'PRAGMA wal_checkpoint(TRUNCATE)');
        const bytes = readFileSync(file);
        bytes.fill(0xff, 4096, bytes.length);
        writeFileSync(file, bytes);
      },
    ],
  ])('%s: the dispatcher starts, says so, and goes on in memory', async (_what, damage) => {
    const { dataDir, file } = await withStored();
    damage(file);
    const before = readFileSync(file);
    const b = await bench({ dataDir });
    expect(b.dispatcher.store.kind).toBe('memory');
    expect(b.log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'the event hook store cannot be opened; going on in memory',
    ]);
    await b.hook({ source: 's', handler: 'webhook', config: { url: b.receiver.url('/y') } });
    b.hub.emit('s', 'e', { n: 1 });
    await b.receiver.until('/y', 1);
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('single rows of the snapshot that make no sense', () => {
  it.each([
    ['a scope', `UPDATE scopes SET id = ${huge}`],
    ['counters', `UPDATE counters SET value = ${huge}`],
    ['an entity', `UPDATE entities SET text = 'gar{bage', digest = x'00'`],
  ])('%s: it opens, and a new look is remembered', async (_what, sql) => {
    const file = join(tempDir(), 'snapshot.db');
    const first = new SqliteSnapshots(file);
    const seen = { id: 'a', digest: 'd', text: '{}' };
    const look = async (store: SqliteSnapshots): Promise<void> => {
      const baseline = await store.begin('consumers');
      await baseline.add([seen]);
      await baseline.commit(1);
    };
    await look(first);
    await first.nextGeneration('x');
    await first.close();
    tamper(file, sql);
    const second = new SqliteSnapshots(file);
    await second.seen('consumers');
    await second.generation('x');
    await second.nextGeneration('x');
    await look(second);
    expect(await second.digests('consumers', ['a'])).toEqual(new Map([['a', 'd']]));
    await second.remember('consumers', [{ operation: 'create', id: 'b', digest: 'e', text: '{}' }]);
    expect(await second.count('consumers')).toBe(2);
    await second.close();
  });
});
