import { describe, expect, it, vi } from 'vitest';
import { chromiumPath, withoutChromium } from './support/browser.ts';
import { openConsole } from './support/console.ts';
import type { Console } from './support/console.ts';

/** Dead letters of two hooks: so many of each. */
async function withDeadLetters(of: number): Promise<Console> {
  const opened = await openConsole();
  const { hook, emit, target } = opened;
  await hook();
  await hook({ source: 'shop', event: 'order', config: { url: target.url('/shop') } });
  // The pings of their creation arrive well.
  await target.untilTrue(() => target.received.length === 2);
  target.answer = (_request, response) => {
    response.statusCode = 500;
    response.end();
  };
  await emit(
    ...Array.from({ length: of }, (_, n) => ({ data: { n } })),
    ...Array.from({ length: of }, (_, n) => ({ source: 'shop', event: 'order', data: { order: n } })),
  );
  await target.until('/hook', 2 * of);
  await target.until('/shop', 2 * of);
  return opened;
}

describe.skipIf(chromiumPath === null)(`dead letters, ${withoutChromium}`, () => {
  it('of all hooks are replayed: the number first, then the progress, then the result', async () => {
    const { page, go, target } = await withDeadLetters(3);
    await go('/dead-letters');
    const rows = page.getByRole('table', { name: 'Dead letters' }).getByRole('row');
    await expect.poll(() => rows.count()).toBe(7);
    target.answer = (_request, response) => response.end('ok');
    await page.getByRole('button', { name: 'Replay all…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Replay' });
    await dialog.getByText('6 deliveries').waitFor();
    expect(target.at('/hook')).toHaveLength(6);
    await dialog.getByRole('button', { name: 'Replay 6' }).click();
    await dialog.getByText('6 of 6 sent again').waitFor();
    await dialog.getByText('✓ done').waitFor();
    await target.until('/hook', 9);
    await target.until('/shop', 9);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByText('No delivery matches.').waitFor();
    await page.getByText('6 delivered, 0 failed again').waitFor();
  });

  it('are replayed one by one, and those that a filter leaves', async () => {
    const { page, go, target } = await withDeadLetters(2);
    await go('/dead-letters');
    const rows = page.getByRole('table', { name: 'Dead letters' }).getByRole('row');
    await expect.poll(() => rows.count()).toBe(5);
    target.answer = (_request, response) => response.end('ok');
    await rows.filter({ hasText: 'crud' }).first().getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Replay 1 chosen' }).click();
    const dialog = page.getByRole('dialog', { name: 'Replay' });
    await dialog.getByRole('button', { name: 'Replay 1' }).click();
    await dialog.getByText('✓ done').waitFor();
    await target.until('/hook', 5);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => rows.count()).toBe(4);
    await page.getByLabel('Source').fill('shop');
    await expect.poll(() => rows.count()).toBe(3);
    await page.getByRole('button', { name: 'Replay all that match…' }).click();
    await dialog.getByText('of the source shop').waitFor();
    await dialog.getByRole('button', { name: 'Replay 2' }).click();
    await dialog.getByText('✓ done').waitFor();
    await target.until('/shop', 6);
    expect(target.at('/hook')).toHaveLength(5);
  });

  it('stay where they are when the question is answered with Cancel', async () => {
    const { page, go, target } = await withDeadLetters(1);
    await go('/dead-letters');
    await page.getByRole('button', { name: 'Replay all…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Replay' });
    await dialog.getByText('2 deliveries').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => page.evaluate('document.activeElement?.textContent')).toBe('Replay all…');
    expect(target.at('/hook')).toHaveLength(2);
  });

  it('stop being sent when the reader stops the replay', async () => {
    const { page, go, target, served } = await withDeadLetters(3);
    await go('/dead-letters');
    target.answer = (_request, response) => response.end('ok');
    // The first portion waits for the reader: the replay cannot come to its end before it is stopped.
    const { dispatcher } = served;
    const stopped = Promise.withResolvers<undefined>();
    const replay = dispatcher.replay.bind(dispatcher);
    const portions = vi.spyOn(dispatcher, 'replay').mockImplementation(async (query) => {
      await stopped.promise;
      return await replay(query);
    });
    await page.getByRole('button', { name: 'Replay all…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Replay' });
    await dialog.getByRole('button', { name: 'Replay 6' }).click();
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await dialog.getByText('· stopped').waitFor();
    stopped.resolve(undefined);
    await dialog.getByRole('button', { name: 'Close' }).click();
    // What was made due is delivered all the same; the other hook's dead letters stay.
    await page.getByText('3 of 6 sent again').waitFor();
    await page.getByText('3 delivered, 0 failed again').waitFor();
    expect(portions).toHaveBeenCalledOnce();
    expect(target.at('/hook').length + target.at('/shop').length).toBe(15);
  });
});
