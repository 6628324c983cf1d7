import { describe, expect, it } from 'vitest';
import { chromiumPath, withoutChromium } from './support/browser.ts';
import { openConsole } from './support/console.ts';

describe.skipIf(chromiumPath === null)(`the form of hooks, ${withoutChromium}`, () => {
  it('makes a webhook that was tested before, with its errors at their fields', async () => {
    const { page, go, emit, target, served } = await openConsole();
    await go('/new');
    await page.getByLabel('Source').fill('crud');
    await page.getByLabel('Event', { exact: true }).fill('consumers');
    await page.getByText('operation, entity, old_entity, schema').waitFor();
    await page.getByRole('button', { name: 'Make the hook' }).click();
    await page.getByRole('alert').waitFor();
    const url = page.getByLabel('URL');
    await expect.poll(() => url.getAttribute('aria-invalid')).toBe('true');
    await expect
      .poll(() => page.evaluate("document.activeElement?.getAttribute('aria-invalid')"))
      .toBe('true');
    await url.fill('ftp://example.com');
    await page.getByText('expected a scheme of http or https').waitFor();
    await url.fill(target.url('/new'));
    await page.getByText('expected a scheme of http or https').waitFor({ state: 'detached' });
    await page.getByText(`POST ${target.url('/new')}`).waitFor();
    const test = page.getByRole('button', { name: 'Send a test now' });
    await expect.poll(() => test.isEnabled()).toBe(true);
    await test.click();
    await page.getByText('answered 200').waitFor();
    expect(target.at('/new')).toHaveLength(1);
    expect(served.dispatcher.hooks.list()).toEqual([]);
    await page.getByRole('button', { name: 'Make the hook' }).click();
    await page.getByRole('heading', { level: 1, name: 'crud / consumers' }).waitFor();
    await emit({ data: { user: 'alice' } });
    expect((await target.until('/new', 2))[1]?.body).toContain('alice');
  });

  it('says how often a filter would have fired, and stores the filter', async () => {
    const { page, go, hook, emit, target, served } = await openConsole();
    await hook();
    await emit(
      ...Array.from({ length: 10 }, (_, n) => ({ data: { n, name: n % 2 === 0 ? 'even' : 'odd' } })),
    );
    await target.until('/hook', 10);
    await go('/new?source=crud&event=consumers');
    await page.getByText('fired for 10 of the last 10 events').waitFor();
    await page.getByRole('button', { name: 'Add a condition' }).click();
    await page.getByLabel('Condition 1, path').fill('name');
    await page.getByLabel('Condition 1, value').fill('even');
    await page.getByText('fired for 5 of the last 10 events').waitFor();
    await page.getByRole('button', { name: 'Add a condition' }).click();
    await page.getByLabel('Condition 2, path').fill('n');
    await page.getByLabel('Condition 2, comparison').selectOption('gte');
    await page.getByLabel('Condition 2, value').fill('4');
    await page.getByText('fired for 3 of the last 10 events').waitFor();
    await page.getByLabel('URL').fill(target.url('/filtered'));
    await page.getByRole('button', { name: 'Make the hook' }).click();
    await page.getByRole('heading', { level: 1, name: 'crud / consumers' }).waitFor();
    const made = served.dispatcher.hooks.list().find(({ filter }) => filter !== undefined);
    expect(made?.filter).toEqual({ name: { eq: 'even' }, n: { gte: 4 } });
  });

  it('renders the template of webhook-custom on a real event, and names what is wrong with it', async () => {
    const { page, go, hook, emit, target } = await openConsole();
    await hook();
    await emit({ data: { entity: { username: 'alice "the first"' } } });
    await target.until('/hook', 1);
    await go('/new?source=crud&event=consumers');
    await page.getByLabel('Handler').selectOption('webhook-custom');
    await page.getByLabel('URL').fill(target.url('/custom'));
    await page.getByLabel('Body', { exact: true }).fill('{"hello":"{{ entity.username }}"}');
    await page.getByText('{"hello":"alice \\"the first\\""}').waitFor();
    await page.getByLabel('Body', { exact: true }).fill('{"hello":"{{ entity.username "}');
    await expect
      .poll(() => page.getByLabel('Body', { exact: true }).getAttribute('aria-invalid'))
      .toBe('true');
    await page.getByLabel('Body', { exact: true }).fill('{"bye":"{{ entity.username }}"}');
    const test = page.getByRole('button', { name: 'Send a test now' });
    await expect.poll(() => test.isEnabled()).toBe(true);
    await test.click();
    await page.getByText('answered 200').waitFor();
    expect(target.bodies('/custom')).toEqual([{ bye: 'alice "the first"' }]);
  });

  it('takes a source for published only where somebody has published it', async () => {
    const { page, go } = await openConsole();
    await go('/new?source=constructor&event=name');
    await page.getByText('Nobody has published this source yet').waitFor();
    await page.getByLabel('Source').fill('crud');
    await page.getByLabel('Event', { exact: true }).fill('constructor');
    await page.getByText('Nobody has published this event yet').waitFor();
  });

  it('checks Lua while it is typed', async () => {
    const { page, go, served } = await openConsole();
    await go('/new?source=crud');
    await page.getByLabel('Handler').selectOption('lambda');
    const lua = page.getByLabel('Lua functions 1');
    await lua.fill('return function (data) return true');
    await expect.poll(() => lua.getAttribute('aria-invalid')).toBe('true');
    await page.getByText(/'end' expected/).waitFor();
    await lua.fill('return function (data) return true end');
    await expect.poll(() => lua.getAttribute('aria-invalid')).toBeNull();
    await page.getByRole('button', { name: 'Make the hook' }).click();
    await page.getByRole('heading', { level: 1, name: 'crud / every event' }).waitFor();
    expect(served.dispatcher.hooks.list()[0]?.handler).toBe('lambda');
  });

  it('changes a hook and leaves what it does not show, and rotates its secret with both signing for a time', async () => {
    const { page, go, hook, emit, target, served } = await openConsole();
    const id = await hook({
      config: { url: target.url('/hook'), secret: 'the-first' },
      retry_schedule: [1, 2],
    });
    await go(`/hooks/${id}/edit`);
    await page.getByLabel('Snooze').fill('0');
    await page.getByText('Limits and retries').click();
    await page.getByLabel('A second').fill('50');
    await page.getByRole('button', { name: 'Save the changes' }).click();
    await page.getByRole('heading', { level: 1, name: 'crud / consumers' }).waitFor();
    expect(served.dispatcher.hooks.get(id)).toMatchObject({
      rate: 50,
      snooze: 0,
      retry_schedule: [1, 2],
      config: { secret: 'the-first' },
    });
    await page.getByRole('button', { name: 'Rotate the secret…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Change the secret' }).click();
    await dialog.getByText('Deliveries are signed with both until').waitFor();
    const secret = await dialog.locator('pre').textContent();
    await dialog.getByRole('button', { name: 'Done' }).click();
    expect(secret).toMatch(/^whsec_/);
    await page.getByText('the old secret signs, too').waitFor();
    await emit({ data: { n: 1 } });
    const [request] = await target.until('/hook', 1);
    expect(String(request?.headers['webhook-signature']).split(' ')).toHaveLength(2);
  });
});
