import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Command } from 'commander';
import { KongTsError } from '../../base/errors.ts';
import { parseServeOptions, startDispatcher } from '../../event-hooks/serve/index.ts';
import { receivedText } from './received-text.ts';
import { startReceiver } from './receiver.ts';
import { untilEnded } from './until-ended.ts';

interface QuickstartOptions {
  admin: string;
  once?: boolean;
}

/** Until the first event has arrived, in milliseconds: far more than it takes. */
const patienceMs = 30_000;

const event = {
  source: 'crud',
  event: 'consumers',
  data: { operation: 'create', schema: 'consumers', entity: { username: 'alice' } },
};

/** `hooks quickstart`: dispatcher, receiver, hook and a first event in one process. */
export function addQuickstart(hooks: Command): void {
  hooks
    .command('quickstart')
    .description('start a dispatcher and a receiver here, and send a first event from one to the other')
    .option('--admin <address>', 'where the Admin API listens: host:port', '127.0.0.1:8011')
    .option('--once', 'end when the first event has arrived')
    .action(async (options: QuickstartOptions) => {
      await quickstart(options);
    });
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

async function quickstart({ admin: address, once: ends }: QuickstartOptions): Promise<void> {
  const ended = untilEnded();
  const arrivals = new AbortController();
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  const receiver = await startReceiver({
    host: '127.0.0.1',
    port: 0,
    status: 200,
    received: (request) => {
      say(`\nThe receiver got:\n\n${receivedText(request, secret, Date.now()).trimEnd()}`);
      // The ping that a new hook sends comes first.
      if (!request.body.includes('"event":"ping"')) arrivals.abort();
    },
  });
  try {
    const silent = { info: () => {}, notice: () => {}, warn: () => {}, error: (text: string) => say(text) };
    const options = parseServeOptions(['--admin', address, '--allow-loopback'], {});
    const served = await startDispatcher({ ...options, dispatcher: { ...options.dispatcher, log: silent } });
    try {
      const api = served.admin ?? '';
      say(`The dispatcher's Admin API is at ${api}, a receiver at ${receiver.url}.`);
      say('\nThis made a hook on changes of consumers:\n');
      say(`  kong-ts hooks --api ${api} create source=crud event=consumers handler=webhook \\`);
      say(`    config.url=${receiver.url} config.secret=${secret}`);
      await post(`${api}/event-hooks`, {
        source: event.source,
        event: event.event,
        handler: 'webhook',
        config: { url: receiver.url, secret },
      });
      await post(`${api}/event-hooks/events`, event);
      await Promise.race([ended, arrived(arrivals.signal)]);
      if (ends === true || !arrivals.signal.aborted) return;
      say(instructions(api));
      await ended;
    } finally {
      await served.stop();
    }
  } finally {
    await receiver.close();
  }
}

async function arrived(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const late = AbortSignal.timeout(patienceMs);
  await Promise.race([once(signal, 'abort'), once(late, 'abort')]);
  if (signal.aborted) return;
  throw new KongTsError(
    'DELIVERY_FAILED',
    `The first event did not arrive within ${String(patienceMs / 1000)} s.`,
  );
}

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new KongTsError('HOOK_INVALID', `POST ${url}: ${String(response.status)} ${await response.text()}`);
  }
  await response.arrayBuffer();
}

const instructions = (api: string): string => `
Send another one, from a second terminal:

  curl -s ${api}/event-hooks/events -H 'content-type: application/json' \\
    -d '${JSON.stringify({ ...event, data: { ...event.data, entity: { username: 'bob' } } })}'

Look at it:

  export KONG_TS_HOOKS_API=${api}
  kong-ts hooks list
  kong-ts hooks sources balancer
  kong-ts hooks tail

With a real Kong: kong-ts hooks serve --kong-admin http://127.0.0.1:8001 --data-dir ./data
Ctrl-C ends this. Nothing is kept.`;
