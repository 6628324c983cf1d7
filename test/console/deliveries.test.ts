import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { chromiumPath, withoutChromium } from './support/browser.ts';
import { openConsole } from './support/console.ts';

const run = promisify(execFile);

describe.skipIf(chromiumPath === null)(`deliveries, ${withoutChromium}`, () => {
  it('are searched by state and by what their payload holds, and the search stands in the address', async () => {
    const { page, go, hook, emit, target } = await openConsole();
    target.answer = (request, response) => {
      response.statusCode = request.body.includes('"bad"') ? 500 : 200;
      response.end('answered');
    };
    const id = await hook();
    await emit({ data: { name: 'good one' } }, { data: { name: 'bad', note: 'needle-7' } });
    await target.until('/hook', 3);
    await go(`/hooks/${id}`);
    const rows = page.getByRole('table', { name: 'Deliveries of this hook' }).getByRole('row');
    await expect.poll(() => rows.count()).toBe(4);
    await page.getByLabel('State').selectOption('dead');
    await expect.poll(() => rows.count()).toBe(2);
    expect(page.url()).toContain('state=dead');
    await page.getByLabel('State').selectOption('');
    await page.getByLabel('Text').fill('needle-7');
    await expect.poll(() => rows.count()).toBe(2);
    await rows.getByText('✕ dead').waitFor();
    await page.reload();
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByLabel('Text').fill('nothing like it');
    await page.getByText('No delivery matches.').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => rows.count()).toBe(4);
  });

  it('come in live, wait as a number while the reader pauses, and are counted during a search', async () => {
    const { page, go, hook, emit } = await openConsole();
    const id = await hook();
    await go(`/hooks/${id}`);
    const rows = page.getByRole('table', { name: 'Deliveries of this hook' }).getByRole('row');
    await page.getByText('live', { exact: true }).waitFor();
    await emit({ data: { n: 1 } }, { data: { n: 2 } });
    await expect.poll(() => rows.count()).toBe(4);
    await page.getByRole('button', { name: 'Pause' }).click();
    await emit({ data: { n: 3 } }, { data: { n: 4 } }, { data: { n: 5 } });
    await page.getByRole('button', { name: '3 more attempts: show' }).waitFor();
    expect(await rows.count()).toBe(4);
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect.poll(() => rows.count()).toBe(7);
    await page.getByLabel('Text').fill('"n":5');
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByText('A search is not live').waitFor();
    await emit({ data: { n: 55 } });
    await page.getByRole('button', { name: '1 more attempt: show' }).click();
    await expect.poll(() => rows.count()).toBe(3);
  });

  it('that came in live are gone where a new filter does not want them', async () => {
    const { page, go, hook, emit } = await openConsole();
    const id = await hook();
    await go(`/hooks/${id}`);
    const rows = page.getByRole('table', { name: 'Deliveries of this hook' }).getByRole('row');
    await page.getByText('live', { exact: true }).waitFor();
    await emit({ data: { n: 1 } });
    await expect.poll(() => rows.count()).toBe(3);
    await page.getByLabel('State').selectOption('dead');
    await page.getByText('No delivery matches.').waitFor();
    expect(await rows.count()).toBe(0);
  });

  it('show each attempt with its own address, and are replayed', async () => {
    const { page, go, hook, emit, target, served } = await openConsole();
    target.answer = (_request, response) => {
      response.statusCode = 503;
      response.end('<h1>later</h1>');
    };
    const id = await hook();
    await emit({ data: { user: 'alice' } });
    await target.until('/hook', 2);
    // The hook goes elsewhere now: what an attempt went to stays as it was.
    await served.dispatcher.hooks.patch(id, { config: { url: target.url('/elsewhere') } });
    await go(`/hooks/${id}?state=dead`);
    await page.getByRole('link', { name: 'crud / consumers' }).first().click();
    await page.getByRole('heading', { level: 1, name: 'crud / consumers' }).waitFor();
    const attempts = page.getByRole('table', { name: 'Attempts' });
    await attempts.getByText(target.url('/hook')).first().waitFor();
    expect(await attempts.getByText('/elsewhere').count()).toBe(0);
    await attempts.getByText('Headers and answer').first().click();
    await attempts.getByText('<h1>later</h1>').first().waitFor();
    await attempts.getByText('webhook-id:').first().waitFor();
    target.answer = (_request, response) => response.end('ok');
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByText('The delivery is made again.').waitFor();
    const [again] = await target.until('/elsewhere', 1);
    expect(again?.body).toContain('alice');
    await page.getByText('✓ delivered').first().waitFor();
  });

  it('are copied as a curl command that makes the same request, whatever the payload holds', async () => {
    const { page, go, hook, emit, target, served } = await openConsole();
    const id = await hook();
    const data = { quote: `it's "$HOME" \`id\``, at: '@/etc/passwd', big: 1 };
    await emit({ data });
    await target.until('/hook', 1);
    const [{ eventId } = { eventId: '' }] = await served.dispatcher.store.deliveries({ hookId: id, size: 1 });
    await go(`/deliveries/${eventId}_${id}`);
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByText('Copied the request as a curl command').waitFor();
    const command = String(await page.evaluate('navigator.clipboard.readText()'));
    await run('sh', ['-c', `${command} -s`]);
    const [first, second] = await target.until('/hook', 2);
    expect(second?.body).toBe(first?.body);
    expect(second?.method).toBe('POST');
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    await page.getByRole('button', { name: "Copy id the delivery's id" }).click();
    await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toBe(`${eventId}_${id}`);
  });
});
