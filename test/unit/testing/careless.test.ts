import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { testPlugin } from '../../../src/testing/index.ts';
import { protocols, withAccess } from './plugins.ts';

/** What a plugin should not do, and what must not break a test run. */
describe.each(protocols)('a careless handler over %s', (protocol) => {
  it('leaves calls unawaited when it exits', async () => {
    const plugin = withAccess(async (kong) => {
      void kong.request.getHeader('x');
      void kong.response.setHeader('x', '1');
      await kong.response.exit(204);
    });
    await using t = await testPlugin(plugin, { protocol });
    expect(await t.access()).toMatchObject({ error: null, exit: { status: 204 } });
    await sleep(20);
  });

  it('returns before its calls are answered', async () => {
    const plugin = withAccess((kong) => {
      void kong.request.getHeader('x');
      void kong.request.getHost();
    });
    await using t = await testPlugin(plugin, { protocol });
    expect(await t.access()).toMatchObject({ error: null, exit: null });
    await sleep(20);
  });

  it('goes on after its exit', async () => {
    let after: unknown;
    const plugin = withAccess(async (kong) => {
      await kong.response.exit(204).catch(() => undefined);
      after = await kong.request.getHost().catch((error: unknown) => error);
    });
    await using t = await testPlugin(plugin, { protocol });
    expect(await t.access()).toMatchObject({ error: null, exit: { status: 204 } });
    expect(after).toMatchObject({ code: 'PDK_EVENT_ENDED' });
  });

  it('is still busy when the test closes', async () => {
    const plugin = withAccess(() => sleep(60_000, undefined, { ref: false }));
    const t = await testPlugin(plugin, { protocol });
    const running = t.access();
    await sleep(20);
    await t.close();
    expect((await running).failure).toMatch(/closed|no data|reset/);
  });
});
