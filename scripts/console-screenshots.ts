// `node scripts/console-screenshots.ts`: docs/console/*.png, every screen in both themes and some at 320 pixels, from a
// dispatcher with made-up hooks. Needs the built page and a Chromium (KONG_TS_CHROMIUM, /usr/bin/chromium).
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { silentLog } from '../src/event-hooks/log.ts';
import { parseServeOptions } from '../src/event-hooks/serve/options.ts';
import { serveDispatcher } from '../src/event-hooks/serve/serve.ts';
import type { Served } from '../src/event-hooks/serve/serve.ts';
import { launchChromium } from './console-browser.ts';

const out = fileURLToPath(new URL('../docs/console/', import.meta.url));

/** A target that answers well, fails, or is gone, by its path. */
const target = createServer((request, response) => {
  request.resume();
  const path = request.url ?? '/';
  const fails = path.startsWith('/flaky') && Math.random() < 0.3;
  response.statusCode = path.startsWith('/gone') ? 410 : path.startsWith('/down') || fails ? 503 : 200;
  setTimeout(
    () => response.end(response.statusCode === 200 ? '{"ok":true}' : 'try later'),
    Math.random() * 40,
  );
});

async function seed({ dispatcher, admin }: Served, base: string): Promise<{ hook: string; dead: string }> {
  const make = async (fields: Record<string, unknown>): Promise<string> =>
    (await dispatcher.createHook({ source: 'crud', event: 'consumers', handler: 'webhook', ...fields })).id;
  const hook = await make({
    config: { url: `${base}/hooks/consumers`, secret: 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=' },
  });
  await make({
    source: 'http-log-enterprise',
    event: 'log',
    config: { url: `${base}/flaky/log` },
    retry_schedule: [30],
  });
  const down = await make({
    source: 'balancer',
    event: 'health',
    config: { url: `${base}/down` },
    retry_schedule: [],
  });
  await make({ event: null, config: { url: `${base}/gone` } });
  await make({ event: 'routes', handler: 'log', config: {}, enabled: false });
  await make({
    source: 'balancer',
    event: 'health',
    handler: 'webhook-custom',
    filter: { health: { eq: 'unhealthy' } },
    config: { url: `${base}/chat`, method: 'POST', body: '{"text":"{{ hostname }} is {{ health }}"}' },
  });
  const people = ['alice', 'bob', 'carol', 'dave', 'erin'];
  const events = Array.from({ length: 60 }, (_, n) => {
    if (n % 3 === 0)
      return {
        source: 'http-log-enterprise',
        event: 'log',
        data: {
          consumer: { username: people[n % 5] },
          ip: '10.0.0.7',
          route: { name: 'orders' },
          service: { name: 'shop' },
        },
      };
    if (n % 5 === 0)
      return {
        source: 'balancer',
        event: 'health',
        data: {
          hostname: `node-${String(n % 4)}.example.com`,
          health: n % 2 === 0 ? 'unhealthy' : 'healthy',
          ip: '10.1.2.3',
          port: 8080,
          upstream_id: '7f6a',
        },
      };
    return {
      source: 'crud',
      event: 'consumers',
      data: {
        operation: 'create',
        schema: 'consumers',
        entity: {
          id: `0c1f-${String(n)}`,
          username: people[n % 5],
          tags: ['beta', 'eu'],
          custom_id: null,
          created_at: 1795860000 + n,
        },
      },
    };
  });
  await fetch(`${admin ?? ''}/event-hooks/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ events }),
  });
  await until(
    async () => (await dispatcher.store.deliveries({ hookId: down, state: 'dead', size: 5 })).length >= 5,
  );
  const [letter] = await dispatcher.store.deliveries({ hookId: down, state: 'dead', size: 1 });
  return { hook, dead: `${letter?.eventId ?? ''}_${down}` };
}

async function until(test: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await test()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the deliveries did not end');
}

interface Shot {
  readonly name: string;
  readonly hash: string;
  readonly narrow?: boolean;
  readonly act?: (page: Page) => Promise<void>;
}

const shots = ({ hook, dead }: { hook: string; dead: string }): Shot[] => [
  { name: 'hooks', hash: '/hooks', narrow: true },
  { name: 'hook', hash: `/hooks/${hook}`, narrow: true },
  {
    name: 'delivery',
    hash: `/deliveries/${dead}`,
    narrow: true,
    act: (page) => page.getByText('Headers and answer').first().click(),
  },
  { name: 'dead-letters', hash: '/dead-letters' },
  {
    name: 'replay',
    hash: '/dead-letters',
    act: async (page) => {
      await page.getByRole('button', { name: 'Replay all…' }).click();
      await page.getByRole('button', { name: /^Replay \d/ }).waitFor();
    },
  },
  {
    name: 'new-hook',
    hash: '/new?source=balancer&event=health',
    narrow: true,
    act: async (page) => {
      await page.getByLabel('Handler').selectOption('webhook-custom');
      await page.getByLabel('URL').fill('https://chat.example.com/hooks/T01');
      await page.getByLabel('Body', { exact: true }).fill('{"text":"{{ hostname }} is {{ health }}"}');
      await page.getByRole('button', { name: 'Add a condition' }).click();
      await page.getByLabel('Condition 1, path').fill('health');
      await page.getByLabel('Condition 1, value').fill('unhealthy');
      await page.waitForTimeout(1500);
    },
  },
  { name: 'live', hash: '/live' },
  { name: 'receiver', hash: '/receiver' },
  { name: 'plugins', hash: '/plugins', narrow: true },
  { name: 'store', hash: '/store' },
];

async function main(): Promise<void> {
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${String((target.address() as AddressInfo).port)}`;
  const folder = mkdtempSync(join(tmpdir(), 'kong-ts-screenshots-'));
  const options = parseServeOptions(
    ['--admin', '127.0.0.1:0', '--allow-loopback', '--data-dir', join(folder, 'data')],
    {},
  );
  const served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log: silentLog } });
  mkdirSync(out, { recursive: true });
  try {
    const ids = await seed(served, base);
    const { url } = (await (await fetch(`${served.admin ?? ''}/event-hooks/receiver`)).json()) as {
      url: string;
    };
    await served.dispatcher.createHook({
      source: 'shop',
      event: 'order',
      handler: 'webhook',
      config: { url, secret: 'a-secret' },
    });
    for (const theme of ['light', 'dark'] as const)
      await shoot(served, join(folder, theme), theme, shots(ids));
  } finally {
    await served.stop();
    target.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function shoot(
  { admin, dispatcher }: Served,
  profile: string,
  theme: 'light' | 'dark',
  all: readonly Shot[],
): Promise<void> {
  const browser = await launchChromium(profile, { colorScheme: theme });
  const page = browser.pages()[0] ?? (await browser.newPage());
  const emit = (): Promise<unknown> =>
    fetch(`${admin ?? ''}/event-hooks/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        events: [1, 2, 3].map((n) => ({
          source: n === 2 ? 'shop' : 'crud',
          event: n === 2 ? 'order' : 'consumers',
          data: { n },
        })),
      }),
    });
  for (const { name, hash, narrow = false, act } of all) {
    for (const width of narrow && theme === 'light' ? [1280, 320] : [1280]) {
      await page.setViewportSize({ width, height: width === 320 ? 1200 : 760 });
      await page.goto('about:blank');
      await page.goto(`${admin ?? ''}/console/#${hash}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForTimeout(700);
      await act?.(page);
      if (name === 'live') await emit();
      await page.waitForTimeout(700);
      const suffix = width === 320 ? '-320' : '';
      const clip = { x: 0, y: 0, width, height: width === 320 ? 1200 : 760 };
      await page.screenshot({
        path: `${out}${name}-${theme}${suffix}.png`,
        clip,
        fullPage: name !== 'replay',
      });
    }
  }
  await browser.close();
  if (!dispatcher.engine.active) throw new Error('the dispatcher has stopped');
}

await main();
