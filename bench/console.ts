// `node bench/console.ts [--minutes 10]`: the console with 100,000 deliveries and 200 hooks: first paint, a filter, and the memory
// of the tab while 1,000 events a second are told live. Needs the built page and a Chromium (KONG_TS_CHROMIUM, /usr/bin/chromium).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CDPSession, Page } from 'playwright-core';
import { launchChromium } from '../scripts/console-browser.ts';
import { silentLog } from '../src/event-hooks/log.ts';
import { parseServeOptions } from '../src/event-hooks/serve/options.ts';
import { serveDispatcher } from '../src/event-hooks/serve/serve.ts';
import type { Served } from '../src/event-hooks/serve/serve.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(values.minutes);
const hooks = 200;
const deliveries = 100_000;
const perSecond = 1000;
const say = (line: string): unknown => process.stdout.write(`${line}\n`);

/** Hooks that only log, and what they have delivered: a thousandth of it holds the text that is looked for. */
async function fill({ dispatcher }: Served): Promise<string> {
  const ids: string[] = [];
  for (let n = 0; n < hooks; n += 1) {
    const hook = { source: 'bench', event: `e${String(n)}`, handler: 'log', config: {} };
    ids.push((await dispatcher.createHook(hook)).id);
  }
  // Half of all belongs to one hook.
  const [busy = ''] = ids;
  for (let from = 0; from < deliveries; from += 500) {
    const events = Array.from({ length: 500 }, (_, index) => {
      const n = from + index;
      const hook = n % 2 === 0 ? busy : (ids[n % hooks] ?? busy);
      const data = { n, note: n % 1000 === 0 ? 'needle' : 'hay', filler: 'x'.repeat(300) };
      const payload = JSON.stringify({ ...data, source: 'bench', event: 'e' });
      return { id: `b${String(n)}`, source: 'bench', event: 'e', at: Date.now() - n, payload, hooks: [hook] };
    });
    await dispatcher.store.commit(events, []);
  }
  // The page is measured while the dispatcher has nothing else to do.
  for (;;) {
    const open = await dispatcher.store.unfinished();
    if ([...open.values()].every((n) => n === 0)) return busy;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function firstPaint(page: Page, url: string): Promise<void> {
  const times: number[] = [];
  const tables: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await page.goto('about:blank');
    await page.goto(`${url}/console/#/hooks`);
    await page.getByRole('table').waitFor();
    tables.push(Number(await page.evaluate('performance.now()')));
    times.push(
      Number(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")),
    );
  }
  say(`first paint: ${ms(times)}; all ${String(hooks)} hooks are there: ${ms(tables)}`);
}

async function filter(page: Page, url: string, hook: string): Promise<void> {
  const times: Record<string, number[]> = {};
  const take = async (name: string, query: string): Promise<void> => {
    await page.goto('about:blank');
    await page.goto(`${url}/console/#/hooks/${hook}`);
    const rows = page.getByRole('table', { name: 'Deliveries of this hook' }).getByRole('row');
    await rows.nth(50).waitFor();
    // From the change of the filter until its rows stand there; the pause after the last letter is left out.
    const took = await page.evaluate(`(async () => {
      const start = performance.now();
      location.hash = '#/hooks/${hook}?${query}';
      const done = () => /deliver\\w+ shown|No delivery/.test(document.querySelector('.table-foot [role=status]')?.textContent ?? '');
      await new Promise((resolve) => { const look = () => (done() ? requestAnimationFrame(resolve) : setTimeout(look, 1)); setTimeout(look, 1); });
      return performance.now() - start;
    })()`);
    (times[name] ??= []).push(Number(took));
  };
  for (let round = 0; round < 5; round += 1) {
    await take('state', 'state=delivered');
    await take('event', 'event=e');
    await take('text', 'text=needle');
  }
  for (const [name, all] of Object.entries(times)) say(`filter by ${name}: ${ms(all)}`);
}

const ms = (times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b);
  return `median ${String(Math.round(sorted[sorted.length >> 1] ?? 0))} ms, worst ${String(Math.round(sorted.at(-1) ?? 0))} ms`;
};

async function live(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/console/#/live`);
  await page.getByText('live', { exact: true }).waitFor();
  const session = await page.context().newCDPSession(page);
  const end = Date.now() + minutes * 60_000;
  let sent = 0;
  let next = Date.now() + 15_000;
  const started = Date.now();
  while (Date.now() < end) {
    const due = Math.min(((Date.now() - started) / 1000) * perSecond, sent + 1000);
    const events = Array.from({ length: Math.max(0, Math.floor(due - sent)) }, (_, n) => ({
      source: 'bench',
      event: `e${String(n % hooks)}`,
      data: { n, user: 'alice' },
    }));
    sent += events.length;
    if (events.length > 0) {
      await fetch(`${url}/event-hooks/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ events }),
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (Date.now() < next) continue;
    next += Math.max(15_000, (minutes * 60_000) / 20);
    say(
      `after ${String(Math.round((Date.now() - started) / 1000))} s and ${String(sent)} events: ${await heap(session)}`,
    );
  }
}

/** What the tab holds after its garbage is collected. */
async function heap(session: CDPSession): Promise<string> {
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (name: string): number => metrics.find((one) => one.name === name)?.value ?? 0;
  return `${(of('JSHeapUsedSize') / 1e6).toFixed(1)} MB of heap, ${String(of('Nodes'))} nodes, ${String(of('JSEventListeners'))} listeners`;
}

const folder = mkdtempSync(join(tmpdir(), 'kong-ts-bench-console-'));
const options = parseServeOptions(['--admin', '127.0.0.1:0', '--data-dir', join(folder, 'data')], {});
const served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log: silentLog } });
const browser = await launchChromium(join(folder, 'profile'));
try {
  const busy = await fill(served);
  const page = browser.pages()[0] ?? (await browser.newPage());
  const url = served.admin ?? '';
  await firstPaint(page, url);
  await filter(page, url, busy);
  await live(page, url);
} finally {
  await browser.close();
  await served.stop();
  rmSync(folder, { recursive: true, force: true });
}
