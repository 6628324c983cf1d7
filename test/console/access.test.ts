import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../support/listen.ts';
import { chromiumPath, withoutChromium } from './support/browser.ts';
import { openConsole } from './support/console.ts';

/** Options of a dispatcher that asks for a token. */
function tokens(): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'kong-ts-tokens-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const [all, look] = [join(folder, 'all'), join(folder, 'look')];
  writeFileSync(all, 'the-whole-token');
  writeFileSync(look, 'the-look-token');
  return ['--token-file', all, '--read-token-file', look];
}

const refused = /status of 401/;

describe.skipIf(chromiumPath === null)(`access, ${withoutChromium}`, () => {
  it('is asked for once; the page keeps a cookie that no script can read, until it signs out', async () => {
    const { page, go, hook } = await openConsole({ args: tokens(), expected: refused });
    await hook();
    await go('/hooks');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByLabel('Token').fill('a wrong one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Token').fill('the-whole-token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'crud / consumers' }).waitFor();
    const [cookie] = await page.context().cookies(`${page.url().split('/console')[0] ?? ''}/event-hooks/`);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(JSON.stringify(await page.evaluate('({ ...localStorage, ...sessionStorage })'))).not.toContain(
      'token',
    );
    await page.reload();
    await page.getByRole('link', { name: 'crud / consumers' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('of one who may look only shows no button that changes anything, and no payload where those are kept back', async () => {
    const { page, go, hook, emit, target, served } = await openConsole({
      args: [...tokens(), '--payload-view', 'admin'],
    });
    const id = await hook({ config: { url: target.url('/hook'), secret: 'the-hook-secret' } });
    await emit({ data: { user: 'alice-in-the-payload' } });
    await target.until('/hook', 1);
    await go('/hooks');
    await page.getByLabel('Token').fill('the-look-token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('read only').waitFor();
    await page.getByRole('link', { name: 'crud / consumers' }).click();
    await page.getByRole('table', { name: 'Deliveries of this hook' }).waitFor();
    expect(await page.getByText('Actions').count()).toBe(0);
    expect(await page.getByRole('button', { name: /Rotate/ }).count()).toBe(0);
    expect(await page.getByLabel('Text').count()).toBe(0);
    const [delivery] = await served.dispatcher.store.deliveries({ hookId: id, size: 1 });
    await go(`/deliveries/${delivery?.eventId ?? ''}_${id}`);
    await page.getByText('Payloads are not shown to you').waitFor();
    expect(await page.getByRole('button', { name: 'Replay' }).count()).toBe(0);
    expect(await page.content()).not.toContain('alice-in-the-payload');
    await go('/new');
    await page.getByText('You may read only.').waitFor();
    expect(await page.content()).not.toContain('the-hook-secret');
  });

  it("is nothing that another site's page can make use of", async () => {
    const { page, go, url, hook, served, target } = await openConsole({
      args: tokens(),
      expected: /blocked by CORS|Failed to load resource|violates|Refused to|policy/,
    });
    const id = await hook();
    await go('/hooks');
    await page.getByLabel('Token').fill('the-whole-token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'crud / consumers' }).waitFor();
    const evil = await listen((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>elsewhere</title><iframe name="there"></iframe>');
    });
    onTestFinished(evil.close);
    // The same site and another origin: the cookie alone would not keep it out.
    await page.goto(evil.url);
    const before = target.received.length;
    await page.evaluate(`(async () => {
      const api = ${JSON.stringify(`${url}/event-hooks`)};
      const simple = { method: 'POST', mode: 'no-cors', credentials: 'include' };
      await fetch(api, { ...simple, body: new URLSearchParams({ source: 'evil', handler: 'log' }) }).catch(() => 0);
      await fetch(api + '/${id}/test', { ...simple, headers: { 'content-type': 'text/plain' }, body: '{}' }).catch(() => 0);
      await fetch(api + '/${id}/ping', { mode: 'no-cors', credentials: 'include' }).catch(() => 0);
      await fetch(api + '/${id}', { method: 'DELETE', credentials: 'include' }).catch(() => 0);
      await fetch(api, { method: 'POST', credentials: 'include', headers: { 'kong-ts-console': '1' }, body: '{}' }).catch(() => 0);
      const form = Object.assign(document.createElement('form'), { method: 'post', action: api, target: 'there' });
      form.append(Object.assign(document.createElement('input'), { name: 'source', value: 'evil' }));
      form.append(Object.assign(document.createElement('input'), { name: 'handler', value: 'log' }));
      document.body.append(form);
      form.submit();
      document.querySelector('iframe').src = ${JSON.stringify(`${url}/console/`)};
      await new Promise((resolve) => setTimeout(resolve, 300));
    })()`);
    expect(served.dispatcher.hooks.list().map((one) => one.id)).toEqual([id]);
    expect(target.received.length).toBe(before);
    const inside = page.frames().find((frame) => frame.url().includes('/console/'));
    expect(
      (await inside
        ?.locator('h1')
        .count()
        .catch(() => 0)) ?? 0,
    ).toBe(0);
  });
});
