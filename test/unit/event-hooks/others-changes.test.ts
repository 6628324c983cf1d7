import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { KongTsError } from '../../../src/base/errors.ts';
import { Dispatcher } from '../../../src/event-hooks/dispatcher/dispatcher.ts';
import { compileDispatcherOptions } from '../../../src/event-hooks/dispatcher/options.ts';
import { OthersChanges } from '../../../src/event-hooks/dispatcher/others-changes.ts';
import { handlerKinds } from '../../../src/event-hooks/handlers/kinds.ts';
import { silentLog } from '../../../src/event-hooks/log.ts';
import { MemoryStore } from '../../../src/event-hooks/store/memory.ts';
import type { StoreChange } from '../../../src/event-hooks/store/types.ts';
import { memoryLog } from '../../event-hooks/support/setup.ts';

/** A store that tells when it likes, as one behind a network does. */
class RemoteStore extends MemoryStore {
  readonly calls: string[] = [];
  tell: (change: StoreChange) => void = () => undefined;

  override onChange(listener: (change: StoreChange) => void = () => undefined): () => void {
    this.tell = listener;
    return () => {
      this.tell = () => undefined;
    };
  }
  /** Every call from now on is written down. */
  listen(): void {
    for (const name of ['hooks', 'commit', 'lease', 'counts', 'pending', 'nextDue'] as const) {
      const method = (this[name] as (...given: unknown[]) => unknown).bind(this);
      Object.assign(this, {
        [name]: (...given: unknown[]) => {
          this.calls.push(name);
          return method(...given);
        },
      });
    }
  }
}

async function dispatcherOn(store: RemoteStore): Promise<Dispatcher> {
  // A lease of an hour: the maintenance does nothing while the test runs.
  const options = compileDispatcherOptions({ log: silentLog, leaseMs: 3_600_000 });
  const dispatcher = new Dispatcher(options, store, handlerKinds);
  await dispatcher.start();
  onTestFinished(() => dispatcher.stop(100));
  return dispatcher;
}
const hook = {
  id: '5b0a1c66-3c9b-4a5e-9e6b-0e7a86d4b001',
  created_at: 1,
  updated_at: 1,
  source: 's',
  event: null,
  on_change: null,
  snooze: null,
  handler: 'log',
  config: {},
};
let ids = 0;
const event = () => ({ id: `e${String(++ids)}`, source: 's', event: 'e', at: 1, data: '{}' });

describe('a dispatcher on a store that tells what others write', () => {
  it('asks the store for nothing while events fire nothing', async () => {
    const store = new RemoteStore();
    const dispatcher = await dispatcherOn(store);
    store.listen();
    for (let batch = 0; batch < 50; batch += 1) await dispatcher.accept([event()]);
    expect(store.calls).toEqual([]);
  });

  it('fires a hook that another process has made from the first batch on after it was told', async () => {
    const store = new RemoteStore();
    const dispatcher = await dispatcherOn(store);
    await store.saveHook(hook);
    await dispatcher.accept([event()]);
    expect(await store.counts(hook.id)).toMatchObject({ pending: 0 });
    store.tell({ hooks: true, deliveries: false, rights: false });
    const told = event();
    await dispatcher.accept([told]);
    expect(await store.delivery(hook.id, told.id)).not.toBeNull();
    await store.deleteHook(hook.id);
    store.tell({ hooks: true, deliveries: false, rights: false });
    await vi.waitFor(() => {
      expect(dispatcher.hooks.list()).toEqual([]);
    });
  });

  it('does not read the hooks for deliveries of others', async () => {
    const store = new RemoteStore();
    const dispatcher = await dispatcherOn(store);
    store.listen();
    store.tell({ hooks: false, deliveries: true, rights: false });
    await dispatcher.takeOverChanges();
    expect(store.calls).not.toContain('hooks');
  });

  it('hears nothing any more once it has stopped', async () => {
    const store = new RemoteStore();
    const dispatcher = await dispatcherOn(store);
    await dispatcher.stop(100);
    store.listen();
    store.tell({ hooks: true, deliveries: true, rights: false });
    expect(store.calls).toEqual([]);
  });
});

describe('what was told', () => {
  function watched(readHooks: () => Promise<void>) {
    let tell: (change: StoreChange) => void = () => undefined;
    const log = memoryLog();
    const changes = new OthersChanges({
      store: {
        onChange: (listener) => {
          tell = listener;
          return () => undefined;
        },
        catchUp: () => undefined,
      },
      log,
      readHooks,
      lookForDeliveries: () => undefined,
      askForRights: () => undefined,
    });
    changes.start();
    return { changes, log, tell: (): void => tell({ hooks: true, deliveries: false, rights: false }) };
  }

  it('while hooks are read makes them be read once more, however often it was', async () => {
    let reads = 0;
    const { changes, tell } = watched(async () => {
      reads += 1;
      await new Promise((resolve) => setImmediate(resolve));
    });
    tell();
    for (let n = 0; n < 10; n += 1) tell();
    await changes.inForce();
    expect(reads).toBe(2);
  });

  it('and cannot be read is said, thrown to whoever needs it, and read with the next need', async () => {
    let works = false;
    let reads = 0;
    const { changes, log, tell } = watched(async () => {
      if (!works) throw new KongTsError('STORE_FAILED', 'the database is away');
      reads += 1;
    });
    tell();
    await expect(changes.inForce()).rejects.toThrow('the database is away');
    expect(log.lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining('cannot be read yet') as string,
      }),
    ]);
    works = true;
    await changes.inForce();
    await changes.inForce();
    expect(reads).toBe(1);
  });
});
