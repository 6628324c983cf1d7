import { describe, expect, it } from 'vitest';
import { chromiumPath, withoutChromium } from './support/browser.ts';
import { openConsole } from './support/console.ts';

describe.skipIf(chromiumPath === null)(`the hooks, ${withoutChromium}`, () => {
  it('shows each hook with what it did, switches it off and on, and deletes it after a question', async () => {
    const { page, go, hook, emit, served, target } = await openConsole();
    const id = await hook();
    await emit({ data: { n: 1 } }, { data: { n: 2 } });
    await target.until('/hook', 2);
    await go('/hooks');
    const row = page.getByRole('row').filter({ hasText: 'crud / consumers' });
    await row.getByText('✓ on').waitFor();
    // The ping of its creation, and the two events.
    await expect.poll(() => row.getByRole('cell').allTextContents()).toContain('3');
    await row.getByText('Actions').click();
    await row.getByRole('button', { name: 'Switch off' }).click();
    await row.getByText('switched off by hand').waitFor();
    expect(served.dispatcher.hooks.get(id)?.enabled).toBe(false);
    await row.getByText('Actions').click();
    await row.getByRole('button', { name: 'Switch on' }).click();
    await row.getByText('✓ on').waitFor();
    expect(served.dispatcher.hooks.get(id)?.enabled).toBeUndefined();
    await row.getByText('Actions').click();
    await row.getByRole('button', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete this hook?' });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(served.dispatcher.hooks.get(id)).toBeDefined();
    await row.getByText('Actions').click();
    await row.getByRole('button', { name: 'Delete…' }).click();
    await dialog.getByRole('button', { name: 'Delete the hook' }).click();
    await page.getByText('There is no hook yet').waitFor();
    expect(served.dispatcher.hooks.get(id)).toBeUndefined();
  });

  it('shows a hook whose times no calendar holds, and says of an address that it names nothing', async () => {
    const { page, go, hook, target } = await openConsole();
    const config = { url: target.url('/hook'), secret: 'a', previous_secrets: ['b'] };
    const id = await hook({ config: { ...config, previous_secrets_until: Number.MAX_SAFE_INTEGER } });
    await go(`/hooks/${id}`);
    await page.getByText('the old secret signs, too').waitFor();
    await go('/constructor');
    await page.getByRole('heading', { name: 'There is no such screen' }).waitFor();
  });

  it('sends a test and a ping, which arrive at the target', async () => {
    const { page, go, hook, target } = await openConsole();
    await hook();
    await go('/hooks');
    const row = page.getByRole('row').filter({ hasText: 'crud / consumers' });
    await row.getByText('Actions').click();
    await row.getByRole('button', { name: 'Send a test…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Send a test' });
    await dialog.getByLabel("The event's fields, as JSON").fill('{"n":12345678901234567890}');
    await dialog.getByRole('button', { name: 'Send the test' }).click();
    await dialog.getByText('answered 200').waitFor();
    expect(target.at('/hook')[0]?.body).toContain('"n":12345678901234567890');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const before = target.received.length;
    await row.getByText('Actions').click();
    await row.getByRole('button', { name: 'Ping' }).click();
    await page.getByText('answered the ping').waitFor();
    expect(target.received.length).toBe(before + 1);
  });
});
