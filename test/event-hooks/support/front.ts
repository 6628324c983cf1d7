import { expect, onTestFinished } from 'vitest';
import type { AdminOptions } from '../../../src/sandbox/admin/index.ts';
import { createAdminApi } from '../../../src/sandbox/admin/index.ts';
import type { KnownPlugin } from '../../../src/kong-end/entities/index.ts';
import { createEntityStore } from '../../../src/kong-end/entities/index.ts';
import { parseServeOptions } from '../../../src/event-hooks/serve/options.ts';
import type { Served } from '../../../src/event-hooks/serve/serve.ts';
import { serveDispatcher } from '../../../src/event-hooks/serve/serve.ts';
import { listen } from '../../support/listen.ts';
import { Receiver } from './receiver.ts';
import type { LogLine } from './setup.ts';
import { memoryLog } from './setup.ts';

/** The sandbox's Admin API on a free port; closed when the test ends. */
export async function startKong(
  options: Partial<AdminOptions> = {},
  plugins: readonly KnownPlugin[] = [],
): Promise<{ url: string }> {
  const { url, close } = await listen(createAdminApi({ store: createEntityStore([...plugins]), ...options }));
  onTestFinished(close);
  return { url };
}

export interface Fronted {
  url: string;
  served: Served;
  receiver: Receiver;
  log: LogLine[];
  /** A webhook on a source and an event that arrives at `/hook`; what it is about was looked at once. */
  hook: (source: string, event: string | null) => Promise<void>;
}

/** A dispatcher in front of a Kong, and somebody who receives; all closed when the test ends. */
export async function startFront(
  kong: string,
  args: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<Fronted> {
  const receiver = await Receiver.start();
  const log = memoryLog();
  const options = parseServeOptions(
    ['--admin', '127.0.0.1:0', '--kong-admin', kong, '--allow-loopback', ...args],
    environment,
  );
  const served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log } });
  onTestFinished(async () => {
    await served.stop();
    await receiver.close();
  });
  return {
    url: served.admin ?? '',
    served,
    receiver,
    log: log.lines,
    hook: async (source, event) => {
      await served.dispatcher.createHook({
        source,
        event,
        handler: 'webhook',
        // One after the other, so that they arrive in order.
        concurrency: 1,
        config: { url: receiver.url('/hook') },
      });
      if (source.endsWith('crud')) await firstLook(served.admin ?? '', event?.split(':')[0]);
    },
  };
}

/** Waits for the first look at a kind; by default at the one that a sandbox has looked at last. */
export async function firstLook(url: string, kind = 'targets'): Promise<void> {
  const schema = ['create', 'update', 'delete'].includes(kind) ? 'targets' : kind;
  const seen = async (): Promise<string> =>
    String((await call('GET', `${url}/event-hooks/metrics`)).body.text);
  await expect
    .poll(seen, { interval: 20 })
    .toContain(`kong_ts_event_hooks_watch_looks_total{kind="${schema}"}`);
}

export async function call(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const answer = await fetch(url, {
    method,
    ...(body === undefined
      ? { headers }
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
  });
  const text = await answer.text();
  const json = answer.headers.get('content-type')?.includes('json') === true;
  return {
    status: answer.status,
    headers: answer.headers,
    body: (text === '' ? {} : json ? JSON.parse(text) : { text }) as Record<string, unknown>,
  };
}
