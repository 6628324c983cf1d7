import { expect, onTestFinished } from 'vitest';
import type { Page } from 'playwright-core';
import { parseServeOptions } from '../../../src/event-hooks/serve/options.ts';
import type { Served } from '../../../src/event-hooks/serve/serve.ts';
import { serveDispatcher } from '../../../src/event-hooks/serve/serve.ts';
import { Receiver } from '../../event-hooks/support/receiver.ts';
import { memoryLog } from '../../event-hooks/support/setup.ts';
import { openBrowser } from './browser.ts';
import type { Look } from './browser.ts';

export interface Console {
  readonly page: Page;
  readonly url: string;
  readonly served: Served;
  /** The target of hooks. */
  readonly target: Receiver;
  /** A webhook to `/hook` of the target. */
  readonly hook: (fields?: Record<string, unknown>) => Promise<string>;
  /** Events that are stored, and delivered where nothing holds them up. */
  readonly emit: (...events: readonly EmittedEvent[]) => Promise<void>;
  readonly go: (hash: string) => Promise<void>;
  /** What the browser complained about: errors in its console, and what the Content-Security-Policy refused. */
  readonly complaints: string[];
}

export interface EmittedEvent {
  readonly source?: string;
  readonly event?: string;
  readonly data?: Record<string, unknown>;
  readonly id?: string;
}

export interface ConsoleOptions extends Look {
  /** Words of `kong-ts hooks serve`. */
  readonly args?: readonly string[];
  /** Complaints that this test provokes. */
  readonly expected?: RegExp;
}

/** A dispatcher with its target, and the console in a browser; all closed when the test ends, without a complaint. */
export async function openConsole({ args = [], expected, ...look }: ConsoleOptions = {}): Promise<Console> {
  const target = await Receiver.start();
  const options = parseServeOptions(
    ['--admin', '127.0.0.1:0', '--allow-loopback', '--retry-schedule', '0.05', ...args],
    {},
  );
  const served = await serveDispatcher({
    ...options,
    dispatcher: { ...options.dispatcher, log: memoryLog() },
  });
  onTestFinished(async () => {
    await served.stop();
    await target.close();
  });
  const context = await openBrowser(look);
  const page = context.pages()[0] ?? (await context.newPage());
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error('policy', event.violatedDirective, event.blockedURI));",
  );
  onTestFinished(() => {
    expect(complaints.filter((one) => expected?.test(one) !== true)).toEqual([]);
  });
  const url = served.admin ?? '';
  const emit: Console['emit'] = async (...events) => {
    const body = events.map(({ source = 'crud', event = 'consumers', data = {}, ...more }) => ({
      source,
      event,
      data,
      ...more,
    }));
    const answer = await fetch(`${url}/event-hooks/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...tokenOf(options.adminToken) },
      body: JSON.stringify({ events: body }),
    });
    expect(answer.status, await answer.text()).toBe(202);
  };
  return {
    page,
    url,
    served,
    target,
    complaints,
    emit,
    hook: async (fields = {}) => {
      const hook = await served.dispatcher.createHook({
        source: 'crud',
        event: 'consumers',
        handler: 'webhook',
        config: { url: target.url('/hook') },
        ...fields,
      });
      return hook.id;
    },
    go: async (hash) => {
      await page.goto(`${url}/console/#${hash}`);
    },
  };
}

const tokenOf = (token: string | null): Record<string, string> =>
  token === null ? {} : { 'kong-admin-token': token };
