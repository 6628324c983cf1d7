import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { silentLog } from '../../../../src/event-hooks/log.ts';
import type { HookEvent } from '../../../../src/event-hooks/model/event.ts';
import { CrudWatcher } from '../../../../src/kong-watch/watcher/crud-watcher.ts';
import type { WatcherOptions } from '../../../../src/kong-watch/watcher/options.ts';
import { MemorySnapshots } from '../../../../src/kong-watch/watcher/snapshot/memory.ts';
import { KongAdmin } from '../../../../src/kong-admin/client.ts';
import { FakeKongAdmin } from '../../../support/fake-kong-admin.ts';
import { ManualClock } from './manual-clock.ts';

export interface Told {
  operation: string;
  schema: string;
  entity: Record<string, unknown>;
  old_entity?: Record<string, unknown>;
}

/** A Kong, and a watcher that keeps what it emits. */
export interface Watched {
  kong: FakeKongAdmin;
  clock: ManualClock;
  emitted: HookEvent[];
  log: string[];
  watcher: (over?: Partial<WatcherOptions>) => CrudWatcher;
  data: () => Told[];
  /** `consumers create c1`, in the order in which they came. */
  told: () => string[];
}

/** Everything ends with the test. */
export async function watched(
  paths: Readonly<Record<string, string>>,
  listening: (source: string, event: string) => boolean = (source) => source === 'crud',
): Promise<Watched> {
  const kong = await FakeKongAdmin.start(paths);
  const clock = new ManualClock();
  const emitted: HookEvent[] = [];
  const log: string[] = [];
  const open: CrudWatcher[] = [];
  onTestFinished(async () => {
    await Promise.all(open.map((one) => one.close()));
    await kong.close();
  });
  const say = (message: string): void => void log.push(message);
  const data = (): Told[] => emitted.map((event) => JSON.parse(event.data) as Told);
  return {
    kong,
    clock,
    emitted,
    log,
    watcher: (over = {}) => {
      const made = new CrudWatcher({
        admin: new KongAdmin({ url: kong.url, timeoutMs: 60_000 }),
        snapshots: new MemorySnapshots(),
        wants: listening,
        listens: (source) => listening(source, 'consumers') || listening(source, 'create'),
        publish: () => undefined,
        emit: (events) => {
          emitted.push(...events);
          return Promise.resolve();
        },
        clock,
        log: { ...silentLog, notice: say, warn: say, error: say },
        ...over,
      });
      open.push(made);
      return made;
    },
    data,
    told: () => data().map(({ schema, operation, entity }) => `${schema} ${operation} ${String(entity.id)}`),
  };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kong-ts-watch-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
