import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PluginSet } from '../../../src/server/worker/plugin-set.ts';
import { testPlugin } from '../../support/connection-host.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('nobody waits for a plugin that never loads longer than 20 s; one that loads after that is there', async () => {
  let load = (_plugin: ReturnType<typeof testPlugin>): void => undefined;
  const plugins = new PluginSet(['slow', 'quick'], (spec) =>
    spec === 'quick'
      ? Promise.resolve(testPlugin({ name: 'quick' }))
      : new Promise((resolve) => {
          load = resolve;
        }),
  );
  const loading = plugins.load();
  const waiting = plugins.find('slow').catch((error: unknown) => error);
  expect((await plugins.find('quick')).name).toBe('quick');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await waiting).toMatchObject({ code: 'PLUGIN_LOAD_FAILED' });
  await expect(plugins.find('slow')).rejects.toThrow('within 20 seconds');
  load(testPlugin({ name: 'slow' }));
  await loading;
  expect((await plugins.find('slow')).name).toBe('slow');
  await expect(plugins.find('nobody')).rejects.toMatchObject({ code: 'PLUGIN_NOT_FOUND' });
  expect(vi.getTimerCount()).toBe(0);
});
