import { describe, expect, it } from 'vitest';
import { chromiumPath, withoutChromium } from './support/browser.ts';
import { openConsole } from './support/console.ts';

describe.skipIf(chromiumPath === null)(`receiver, plugins and store, ${withoutChromium}`, () => {
  it('a new installation leads to a hook that sends to the page, which shows each event and checks its signature', async () => {
    const { page, go, emit } = await openConsole();
    await go('/');
    await page.getByText('There is no hook yet').waitFor();
    await page.getByRole('link', { name: 'Send it to this page' }).click();
    await page.getByText('Nothing has arrived yet.').waitFor();
    await page.getByLabel('Source').selectOption('crud');
    await page.getByRole('button', { name: 'Send it to this page' }).click();
    const arrived = page.getByRole('list', { name: 'What has arrived' }).getByRole('listitem');
    await arrived.first().getByText('webhook-signature: valid').waitFor();
    await emit({ data: { user: 'alice' } });
    await page.getByText('"alice"').waitFor();
    await expect.poll(() => page.getByText('x-kong-signature: valid').count()).toBe(2);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('Nothing has arrived yet.').waitFor();
  });

  it('the store says what it is, who delivers, and why something is not known', async () => {
    const { page, go, served } = await openConsole();
    await go('/store');
    await page.getByText('✓ healthy').waitFor();
    await page.getByText('everything ends with the process').waitFor();
    await page.getByText('✓ delivers').waitFor();
    await page.getByText('does not watch').waitFor();
    expect(served.dispatcher.store.kind).toBe('memory');
    expect(await page.getByText('undefined').count()).toBe(0);
  });

  it('without a plugin server, the page says so', async () => {
    const { page, go } = await openConsole();
    await go('/plugins');
    await page.getByRole('heading', { name: 'No plugin server' }).waitFor();
  });

  it('a number that cannot be read is not known, with its reason, and never a zero', async () => {
    const { page, go, hook } = await openConsole({ expected: /status of 503/ });
    await hook();
    await page.route('**/event-hooks/history**', (route) =>
      route.fulfill({
        status: 503,
        contentType: 'application/json',
        body: '{"message":"the query took too long"}',
      }),
    );
    await go('/hooks');
    await page.getByText('(the query took too long)').waitFor();
    await expect.poll(() => page.getByRole('cell', { name: 'not known' }).count()).toBeGreaterThan(4);
    await page.unroute('**/event-hooks/history**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('(the query took too long)').waitFor({ state: 'detached' });
  });
});
