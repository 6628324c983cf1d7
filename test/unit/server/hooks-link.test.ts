import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { eventHooks } from '../../../src/event-hooks/client/index.ts';
import { silentLog } from '../../../src/event-hooks/log.ts';
import { parseServeOptions } from '../../../src/event-hooks/serve/options.ts';
import { serveDispatcher } from '../../../src/event-hooks/serve/serve.ts';
import { HooksLink } from '../../../src/server/worker/hooks-link.ts';
import { memoryLog } from '../../support/connection-host.ts';
import type { LogLine } from '../../support/connection-host.ts';

const launch = { words: [], environment: {}, neededBy: null };
const errors = (lines: readonly LogLine[]) => lines.filter(({ level }) => level === 'error');

afterEach(() => {
  eventHooks.detachTransport();
});

it('a worker that ends says how many events no dispatcher has taken', async () => {
  const lines: LogLine[] = [];
  const link = new HooksLink(true, memoryLog(lines), launch);
  const address = `unix:${join(tmpdir(), randomUUID())}`;
  await link.connect(address);
  eventHooks.publish('orphan', 'raised', { fields: ['at'] });
  for (let at = 0; at < 3; at++) eventHooks.emit('orphan', 'raised', { at });
  await link.close(10);
  expect(errors(lines)).toEqual([
    {
      level: 'error',
      message: 'the event hook dispatcher has not taken all events: they are lost',
      fields: { events: 3, address },
    },
  ]);
});

it('and says nothing where all were taken', async () => {
  const address = `unix:${join(tmpdir(), randomUUID())}`;
  const options = parseServeOptions(['--listen', address], {});
  const served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log: silentLog } });
  const lines: LogLine[] = [];
  const link = new HooksLink(true, memoryLog(lines), launch);
  try {
    await link.connect(address);
    eventHooks.emit('orphan', 'raised', { at: 0 });
    await link.close(20_000);
    expect(lines).toEqual([]);
  } finally {
    await served.stop();
  }
});
