import { describe, expect, it } from 'vitest';
import { chromiumPath, withoutChromium } from './support/browser.ts';
import { openConsole } from './support/console.ts';

const markup = `</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2"><svg onload=alert(1)>`;

/** JSON of so many levels. */
const deep = (levels: number): unknown => (levels === 0 ? 'bottom' : { a: deep(levels - 1) });

describe.skipIf(chromiumPath === null)(`text of strangers, ${withoutChromium}`, () => {
  it('is text: markup, marks of direction, and what a target answers', async () => {
    const { page, go, hook, emit, target, served } = await openConsole();
    target.answer = (_request, response) => {
      response.statusCode = 500;
      response.end(markup);
    };
    const id = await hook({ source: 'shop', event: null });
    await emit({
      source: 'shop',
      event: markup.slice(0, 60),
      data: { [markup]: markup, turned: 'user\u202Egnp.exe', hidden: 'a\u200Bb', big: 1 },
    });
    await target.until('/hook', 2);
    await go(`/hooks/${id}`);
    await page.getByText(markup.slice(0, 60)).first().waitFor();
    const [delivery] = await served.dispatcher.store.deliveries({ hookId: id, size: 1 });
    await go(`/deliveries/${delivery?.eventId ?? ''}_${id}`);
    const payload = page.getByRole('region', { name: 'Payload' }).last();
    await payload.getByText('user\\u202egnp.exe').waitFor();
    await payload.getByText('a\\u200bb').waitFor();
    expect(await payload.textContent()).toContain(JSON.stringify(markup));
    await page.getByText('Headers and answer').first().click();
    await page.getByText(markup).first().waitFor();
    await page.getByRole('button', { name: 'As text' }).click();
    await payload.getByText('user\\u202egnp.exe').waitFor();
    expect(await page.evaluate('window.hacked ?? null')).toBeNull();
    expect(await page.locator('main img, main script').count()).toBe(0);
  });

  it('may have a mebibyte or a hundred levels: its beginning is shown, and the rest on demand', async () => {
    const { page, go, hook, emit, target, served } = await openConsole();
    const id = await hook();
    const long = 'x'.repeat(1_000_000);
    await emit(
      { data: { long, list: Array.from({ length: 5000 }, (_, n) => n) } },
      { data: { deep: deep(120) } },
    );
    await target.until('/hook', 2);
    const [deepest, longest] = await served.dispatcher.store.deliveries({ hookId: id, size: 2 });
    await go(`/deliveries/${longest?.eventId ?? ''}_${id}`);
    const payload = page.getByRole('region', { name: 'Payload' }).last();
    await page.getByText('5,000 items').click();
    await page.getByRole('button', { name: '4,900 more' }).waitFor();
    expect((await payload.textContent())?.length).toBeLessThan(20_000);
    await page.getByRole('button', { name: /Show all 976/ }).click();
    await expect.poll(async () => (await payload.textContent())?.length ?? 0).toBeGreaterThan(1_000_000);
    await go(`/deliveries/${deepest?.eventId ?? ''}_${id}`);
    await page.getByText('"deep"').waitFor();
    await page.getByRole('button', { name: 'As text' }).click();
    await payload.getByText('"bottom"').waitFor();
  });

  it('of numbers that a browser cannot hold keeps every digit', async () => {
    const { page, go, hook, url, target, served } = await openConsole();
    const id = await hook();
    const body = '{"source":"crud","event":"consumers","data":{"n":12345678901234567890,"small":0.1}}';
    await fetch(`${url}/event-hooks/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    await target.until('/hook', 1);
    const [delivery] = await served.dispatcher.store.deliveries({ hookId: id, size: 1 });
    await go(`/deliveries/${delivery?.eventId ?? ''}_${id}`);
    await page.getByText('12345678901234567890').waitFor();
    await page.getByText('0.1', { exact: true }).waitFor();
    await go('/live');
    await page.getByText('live', { exact: true }).waitFor();
    await fetch(`${url}/event-hooks/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    await page.getByText('Fields', { exact: true }).click();
    await page.getByText('12345678901234567890').waitFor();
  });
});
