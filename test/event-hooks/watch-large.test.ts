import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CrudWatcher } from '../../src/kong-watch/watcher/crud-watcher.ts';
import { SqliteSnapshots } from '../../src/kong-watch/watcher/snapshot/sqlite.ts';
import { silentLog } from '../../src/event-hooks/log.ts';
import type { HookEvent } from '../../src/event-hooks/model/event.ts';
import { KongAdmin } from '../../src/kong-admin/client.ts';
import { FakeKongAdmin } from '../support/fake-kong-admin.ts';
import { ManualClock } from '../unit/kong-watch/watcher/manual-clock.ts';

/** How many entities Kong has; CI has 100,000. */
const count = Number(process.env.KONG_TS_WATCHED_ENTITIES ?? 20_000);
const pages = count / 1000;
const idOf = (n: number): string => `c${String(n).padStart(6, '0')}`;

let kong: FakeKongAdmin;
let folder: string;

beforeEach(async () => {
  kong = await FakeKongAdmin.start({ '/consumers': 'consumers' });
  folder = mkdtempSync(join(tmpdir(), 'kong-ts-watch-large-'));
  for (let n = 0; n < count; n += 1) kong.put('/consumers', { id: idOf(n), username: `name-${String(n)}` });
});
afterEach(async () => {
  await kong.close();
  rmSync(folder, { recursive: true, force: true });
});

it(
  `${String(count)} entities: three changes are three events, a page that fails is none`,
  { timeout: 180_000 },
  async () => {
    const clock = new ManualClock();
    const emitted: HookEvent[] = [];
    const watcher = new CrudWatcher({
      admin: new KongAdmin({ url: kong.url }),
      snapshots: new SqliteSnapshots(join(folder, 'snapshot.db')),
      wants: (source) => source === 'crud',
      listens: (source) => source === 'crud',
      publish: () => undefined,
      emit: (events) => {
        emitted.push(...events);
        return Promise.resolve();
      },
      clock,
      log: silentLog,
    });
    try {
      await watcher.pollNow();
      expect(kong.requests.filter((line) => line.includes('size=1000'))).toHaveLength(pages);

      kong.put('/consumers', { id: idOf(count / 2), username: 'renamed' });
      kong.remove('/consumers', idOf(count - 1));
      kong.put('/consumers', { id: 'c999999', username: 'new' });
      let page = 0;
      kong.fault = (line) => (line.includes('size=1000') && ++page === pages * 0.6 ? { status: 503 } : null);
      clock.skip(60_000);
      await watcher.pollNow();
      expect(emitted).toEqual([]);

      kong.fault = () => null;
      clock.skip(300_000);
      await watcher.pollNow();
      const told = emitted.map(({ data }) => {
        const { operation, entity } = JSON.parse(data) as { operation: string; entity: { id: string } };
        return `${operation} ${entity.id}`;
      });
      expect(told.sort()).toEqual([
        `create c999999`,
        `delete ${idOf(count - 1)}`,
        `update ${idOf(count / 2)}`,
      ]);
    } finally {
      await watcher.close();
    }
  },
);
