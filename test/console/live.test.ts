import { describe, expect, it } from 'vitest';
import { chromiumPath, withoutChromium } from './support/browser.ts';
import { openConsole } from './support/console.ts';

describe.skipIf(chromiumPath === null)(`live rows, ${withoutChromium}`, () => {
  it('show events and attempts as they happen, filtered and paused', async () => {
    const { page, go, hook, emit } = await openConsole();
    await hook();
    await hook({ source: 'shop', event: 'order' });
    await go('/live');
    await page.getByText('live', { exact: true }).waitFor();
    await emit({ data: { user: 'alice' } }, { source: 'shop', event: 'order', data: { n: 1 } });
    const rows = page.getByRole('table', { name: 'What happens' }).getByRole('row');
    await expect.poll(() => rows.count()).toBe(5);
    await rows.filter({ hasText: 'fires 1 hook' }).first().getByText('Fields').click();
    await page.getByRole('region', { name: 'Fields of the event' }).first().waitFor();
    await page.getByLabel('Source').fill('shop');
    await page.getByText('Nothing has happened since you came here.').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await emit({ data: { user: 'bob' } }, { source: 'shop', event: 'order', data: { n: 2 } });
    await expect.poll(() => rows.count()).toBe(3);
    expect(await rows.filter({ hasText: 'crud' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Pause' }).click();
    await emit({ source: 'shop', event: 'order', data: { n: 3 } });
    await page.getByRole('button', { name: '2 more: show' }).click();
    await expect.poll(() => rows.count()).toBe(5);
  });

  it('that wait to be shown are dropped when the filter changes', async () => {
    const { page, go, hook, emit } = await openConsole();
    await hook();
    // Rows wait longer than they do: the filter changes while they wait.
    await page.addInitScript(`{
      const wait = window.setTimeout;
      window.setTimeout = (run, ms, ...rest) => wait(run, ms === 250 ? 1500 : ms, ...rest);
      const add = EventSource.prototype.addEventListener;
      window.heard = [];
      EventSource.prototype.addEventListener = function (name, tell) {
        add.call(this, name, (event) => { tell(event); window.heard.push(name); });
      };
    }`);
    await go('/live');
    await page.getByText('live', { exact: true }).waitFor();
    await emit({ data: { n: 1 } });
    await expect.poll(() => page.evaluate('window.heard')).toContain('delivery');
    await page.getByLabel('Show').selectOption('event');
    await expect.poll(() => page.evaluate("window.heard.filter((name) => name === 'hello').length")).toBe(2);
    await emit({ data: { n: 2 } });
    const rows = page.getByRole('table', { name: 'What happens' }).getByRole('row');
    await rows.filter({ hasText: 'fires 1 hook' }).waitFor();
    expect(await rows.count()).toBe(2);
  });

  it('have no connection while the tab is hidden, and go on behind the last row afterwards', async () => {
    const { page, go, hook, emit } = await openConsole();
    await hook();
    await go('/live');
    await page.getByText('live', { exact: true }).waitFor();
    await emit({ data: { n: 1 } });
    const rows = page.getByRole('table', { name: 'What happens' }).getByRole('row');
    await expect.poll(() => rows.count()).toBe(3);
    const hide = (hidden: boolean): Promise<unknown> =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${String(hidden)}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'));`,
      );
    await hide(true);
    await page.getByText('not connected').waitFor();
    await emit({ data: { n: 2 } });
    expect(await rows.count()).toBe(3);
    await hide(false);
    await expect.poll(() => rows.count()).toBe(5);
  });
});
