import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { chromiumPath, withoutChromium } from './support/browser.ts';
import { openConsole } from './support/console.ts';
import type { Console } from './support/console.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds against WCAG 2.2 AA, in a line each. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const results = await page.evaluate<AxeResults>(`axe.run({ runOnly: ${JSON.stringify(rules)} })`);
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`),
  );
}

interface Screen {
  readonly hash: string;
  /** Opens what hides: menus, tables of charts, dialogs. */
  readonly open?: () => Promise<void>;
}

/** Hooks with deliveries in every state, and every screen that shows them. */
async function seeded(console: Console): Promise<Screen[]> {
  const { hook, emit, target, served, page } = console;
  target.answer = (request, response) => {
    response.statusCode = request.body.includes('"bad"') ? 500 : 200;
    response.end('ok');
  };
  const id = await hook({
    config: { url: target.url('/hook'), secret: 'a-secret' },
    filter: { operation: 'create' },
  });
  await hook({ source: 'shop', event: null, handler: 'log', config: {}, enabled: false });
  await emit(
    { data: { operation: 'create', name: 'good', list: [1, 2] } },
    { data: { operation: 'create', name: 'bad' } },
  );
  await target.until('/hook', 3);
  await served.dispatcher.outbox.flush();
  const [delivery] = await served.dispatcher.store.deliveries({ hookId: id, size: 1 });
  const opener = (text: string) => () => page.getByText(text).first().click();
  return [
    { hash: '/hooks', open: () => page.locator('summary', { hasText: 'Actions' }).first().click() },
    { hash: `/hooks/${id}`, open: opener('The numbers as a table') },
    { hash: `/hooks/${id}?state=dead`, open: () => page.getByRole('button', { name: /Rotate/ }).click() },
    { hash: `/deliveries/${delivery?.eventId ?? ''}_${id}`, open: opener('Headers and answer') },
    { hash: '/dead-letters' },
    {
      hash: '/new',
      open: () =>
        page
          .getByLabel('Handler')
          .selectOption('webhook-custom')
          .then(() => undefined),
    },
    { hash: `/hooks/${id}/edit`, open: opener('Limits and retries') },
    { hash: '/live' },
    { hash: '/receiver' },
    { hash: '/plugins' },
    { hash: '/store' },
    { hash: '/nowhere' },
  ];
}

describe.skipIf(chromiumPath === null)(`accessibility, ${withoutChromium}`, () => {
  it.each(['light', 'dark'] as const)('axe finds nothing on any screen in the %s theme', async (theme) => {
    const opened = await openConsole({ theme, reducedMotion: true });
    const found: Record<string, string[]> = {};
    for (const { hash, open } of await seeded(opened)) {
      await opened.page.goto('about:blank');
      await opened.go(hash);
      await drawn(opened.page);
      await open?.();
      const here = await violations(opened.page);
      if (here.length > 0) found[hash] = here;
    }
    expect(found).toEqual({});
  });

  it('nothing is wider than a screen of 320 pixels', async () => {
    const opened = await openConsole({ width: 320, height: 640 });
    const wide: string[] = [];
    for (const { hash, open } of await seeded(opened)) {
      await opened.page.goto('about:blank');
      await opened.go(hash);
      await drawn(opened.page);
      await open?.();
      const beyond = await opened.page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (Number(beyond) > 0) wide.push(`${hash}: ${String(beyond)} pixels too wide`);
    }
    expect(wide).toEqual([]);
  });

  it('a hook is switched, tested and deleted with the keyboard alone, and the focus comes back', async () => {
    const { page, go, hook, target, served } = await openConsole();
    const id = await hook();
    await go('/hooks');
    await page.getByText('✓ on').waitFor();
    const focused = (): Promise<string> =>
      page.evaluate(
        "(document.activeElement?.textContent || document.activeElement?.getAttribute('aria-label') || '').trim()",
      );
    const tabTo = async (text: string): Promise<void> => {
      for (let presses = 0; presses < 40; presses += 1) {
        if ((await focused()).startsWith(text)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`the focus does not come to ${text}, but to ${await focused()}`);
    };
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('To the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await tabTo('Actions');
    await page.keyboard.press('Enter');
    await tabTo('Send a test');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Send a test' }).waitFor();
    await tabTo('Send the test');
    await page.keyboard.press('Enter');
    await target.until('/hook', 1);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await tabTo('Actions');
    await page.keyboard.press('Enter');
    await tabTo('Switch off');
    await page.keyboard.press('Enter');
    await page.getByText('switched off by hand').waitFor();
    await tabTo('Actions');
    await page.keyboard.press('Enter');
    await tabTo('Delete…');
    await page.keyboard.press('Enter');
    await tabTo('Delete the hook');
    await page.keyboard.press('Enter');
    await page.getByText('There is no hook yet').waitFor();
    expect(served.dispatcher.hooks.get(id)).toBeUndefined();
    await tabTo('Plugins');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Plugins' }).waitFor();
    await expect.poll(focused).toBe('Plugins');
  });
});

/** The screen has read what it shows. */
async function drawn(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await expect.poll(() => page.locator('.waiting').count()).toBe(0);
}
