import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bench, tempDir } from '../event-hooks/support/setup.ts';
import { bounds } from './support/rounds.ts';

/** Writes to the store's file as something outside of it would. */
function tamper(folder: string, change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(join(folder, 'event-hooks.db'));
  try {
    change(db);
  } finally {
    db.close();
  }
}
function insertAll(folder: string, rows: readonly (readonly [string | Buffer, string])[]): void {
  tamper(folder, (db) => {
    const statement = db.prepare('INSERT INTO hooks (id, doc) VALUES (?, ?)');
    db.exec('BEGIN');
    for (const [id, doc] of rows) statement.run(id, doc);
    db.exec('COMMIT');
  });
}
const insert = (folder: string, id: string, doc: string): void => {
  insertAll(folder, [[id, doc]]);
};
const row = (id: string, fields: object): string =>
  JSON.stringify({
    source: 's',
    event: null,
    on_change: null,
    snooze: null,
    handler: 'webhook',
    config: { url: 'http://127.0.0.1:1/', headers: {}, secret: null, ssl_verify: true },
    id,
    created_at: 1,
    updated_at: 1,
    ...fields,
  });
const broken = '00000000-0000-4000-8000-00000000000';
const badUrl = { url: 'http://us%zzer:x@host/', headers: {}, secret: null, ssl_verify: true };

describe('a hook that cannot be built', () => {
  it.each([
    'http://us%zzer:x@host/',
    'http://u:p%E0%A4%A@host/',
    'http://u:%@host/',
    'http://%00@h/%',
    'http://host:99999/',
    'http://[::1',
  ])('is refused before it is stored: %s', async (url) => {
    const b = await bench({ dataDir: tempDir() });
    const answer = await b.api('POST', '/event-hooks', {
      source: 's',
      handler: 'webhook',
      config: { url },
    });
    // What can be built may be taken, too; what is taken never stands in the way of others.
    expect([201, 400]).toContain(answer.status);
    if (url.includes('%zz')) expect(answer).toMatchObject({ status: 400, body: { fields: { config: {} } } });
    expect((await b.dispatcher.store.hooks()).length).toBe(answer.status === 201 ? 1 : 0);
    const next = await b.api('POST', '/event-hooks', { source: 's', handler: 'log' });
    expect(next.status).toBe(201);
  });

  it('in a file of thousands is said a few times and counted, with no call of the store for each', async () => {
    const dataDir = tempDir();
    await (await bench({ dataDir })).dispatcher.stop(500);
    const ids = Array.from({ length: 2000 }, (_, n) => `${broken.slice(0, -4)}${String(n).padStart(5, '0')}`);
    insertAll(
      dataDir,
      ids.map((id) => [id, row(id, { config: badUrl })]),
    );
    const b = await bench({ dataDir });
    const said = b.log.lines.filter(({ level }) => level === 'error');
    expect(said).toHaveLength(11);
    expect(said.at(-1)).toMatchObject({
      message: 'more stored hooks are switched off',
      fields: { hooks: 1990, fix: 'Each has its reason as disabled_reason in GET /event-hooks.' },
    });
    expect(b.dispatcher.hooks.list().every((hook) => hook.disabled_reason?.includes('%25') === true)).toBe(
      true,
    );
  });

  it.each(['row 5', 'Upper-Case', 'a/b', 'x'.repeat(400), '%2e%2e', 'é€', "'; DROP TABLE hooks; --"])(
    'with the id %j, which is none, can be shown, switched on and deleted by it',
    async (id) => {
      const dataDir = tempDir();
      await (await bench({ dataDir })).dispatcher.stop(500);
      insert(dataDir, id, row(id, { config: badUrl }));
      const b = await bench({ dataDir });
      const url = `/event-hooks/${encodeURIComponent(id)}`;
      expect((await b.admin.inject({ method: 'GET', url })).json()).toMatchObject({ id, enabled: false });
      const payload = { config: { url: b.receiver.url('/mended') }, enabled: true };
      expect((await b.admin.inject({ method: 'PATCH', url, payload })).statusCode).toBe(200);
      expect((await b.api('DELETE', url)).status).toBe(204);
      expect(await b.dispatcher.store.hooks()).toEqual([]);
      expect(b.dispatcher.hooks.list()).toEqual([]);
    },
  );

  it('with an id that is a blob is deleted by the text that is shown for it', async () => {
    const dataDir = tempDir();
    await (await bench({ dataDir })).dispatcher.stop(500);
    insertAll(dataDir, [[Buffer.from('blob'), row('blob', { config: badUrl })]]);
    const b = await bench({ dataDir });
    expect((await b.api('DELETE', '/event-hooks/blob')).status).toBe(204);
    expect(await b.dispatcher.store.hooks()).toEqual([]);
  });

  it('in the file is switched off and shown, and the others deliver', async () => {
    const dataDir = tempDir();
    const first = await bench({ dataDir });
    const good = await first.hook({
      source: 's',
      handler: 'webhook',
      config: { url: first.receiver.url('/good') },
    });
    await first.dispatcher.stop(500);
    insert(dataDir, `${broken}1`, row(`${broken}1`, { config: badUrl }));
    insert(dataDir, `${broken}2`, '{"source": "cut of');
    insert(dataDir, `${broken}3`, '[1, 2]');
    insert(dataDir, `${broken}4`, row(`${broken}4`, { handler: 'webhook', config: null }));
    insert(dataDir, `${broken}5`, row(`${broken}5`, { filter: { a: { in: 7 } } }));
    insert(dataDir, `${broken}6`, row(`${broken}6`, { retry_schedule: 'soon', source: 9 }));

    const second = await bench({ dataDir });
    const { body } = await second.api<{ data: Record<string, unknown>[] }>('GET', '/event-hooks');
    const shown = body.data.filter((one) => one.id !== good.id);
    expect(shown.map((one) => [String(one.id).slice(-1), one.enabled])).toEqual(
      ['1', '2', '3', '4', '5', '6'].map((number) => [number, false]),
    );
    for (const one of shown) expect(one.disabled_reason).toMatch(/^the stored hook cannot be /);
    expect(second.log.lines.filter((line) => line.level === 'error').length).toBe(6);

    second.hub.emit('s', 'e', { n: 1 });
    await second.hub.flush();
    await first.receiver.until('/good', 1).catch(() => undefined);
    await second.dispatcher.outbox.flush();
    // The receiver of the first bench is gone with its test's end only.
    expect(first.receiver.at('/good').length).toBe(1);

    // It can be mended and taken away.
    const mended = await second.api('PATCH', `/event-hooks/${broken}1`, {
      enabled: true,
      config: { url: second.receiver.url('/mended') },
    });
    expect(mended).toMatchObject({ status: 200 });
    expect(mended.body.disabled_reason).toBeUndefined();
    expect((await second.api('DELETE', `/event-hooks/${broken}2`)).status).toBe(204);
    second.hub.emit('s', 'e', { n: 2 });
    await second.receiver.until('/mended', 1);
  });

  it('whatever stands in the document of a row, the dispatcher starts and stores the next hook', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 2 }), async (one, config) => {
        const dataDir = tempDir();
        const first = await bench({ dataDir });
        await first.dispatcher.stop(100);
        insert(dataDir, `${broken}1`, JSON.stringify(one));
        insert(dataDir, `${broken}2`, row(`${broken}2`, { config }));
        const second = await bench({ dataDir });
        expect((await second.api('GET', '/event-hooks')).status).toBe(200);
        expect((await second.api('POST', '/event-hooks', { source: 's', handler: 'log' })).status).toBe(201);
        await second.dispatcher.stop(100);
      }),
      bounds(8),
    );
  });
});
