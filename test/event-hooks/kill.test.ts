import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { EventHooks, connectEventHooks } from '../../src/event-hooks/index.ts';
import { DispatcherProcess } from './support/process.ts';
import { Receiver } from './support/receiver.ts';

/** Three, to be quick; `npm run test:kill` is the long run with 50. */
const rounds = Number(process.env.KONG_TS_KILL_ROUNDS ?? 3);

describe('kill -9 of the dispatcher', () => {
  let folder: string;
  let receiver: Receiver;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kong-ts-hooks-'));
    receiver = await Receiver.start();
  });
  afterEach(async () => {
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    `delivers every acknowledged event, ${String(rounds)} times at random moments under load`,
    async () => {
      const args = [
        '--listen',
        `unix:${folder}/hooks.sock`,
        '--admin',
        '127.0.0.1:0',
        '--data-dir',
        folder,
        '--allow-loopback',
        '--retry-schedule',
        '0.05,0.1,0.2,0.5,1,1,1,1,1,1',
      ];
      let dispatcher = await DispatcherProcess.start(args);
      onTestFinished(() => dispatcher.end('SIGKILL').then(() => undefined));
      const created = await dispatcher.api('POST', '/event-hooks', {
        source: 'load',
        event: 'tick',
        handler: 'webhook',
        config: { url: receiver.url('/hook') },
      });
      expect(created.status).toBe(201);
      const transport = await connectEventHooks({
        address: `unix:${folder}/hooks.sock`,
        maxBuffered: 1_000_000,
        maxBackoffMs: 50,
      });
      const hub = new EventHooks();
      hub.attachTransport(transport);
      let emitted = 0;
      // As many as a round on a quiet machine has: on a busy one, processes take their time to start.
      let most = 500;
      const load = setInterval(() => {
        for (let i = 0; i < 10 && emitted < most; i += 1) hub.emit('load', 'tick', { n: emitted++ });
      }, 10);
      try {
        for (let round = 0; round < rounds; round += 1) {
          await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 120));
          await dispatcher.end('SIGKILL');
          dispatcher = await DispatcherProcess.start(args);
          most = emitted + 500;
        }
      } finally {
        clearInterval(load);
      }
      await hub.flush(30_000);
      expect(transport.stats).toMatchObject({ buffered: 0, dropped: 0, acknowledged: emitted });
      const seen = (): Set<unknown> => new Set(receiver.bodies('/hook').map((body) => body.n));
      await receiver.untilTrue(
        () => receiver.at('/hook').length >= emitted && seen().size === emitted,
        30_000 + rounds * 1000,
        () => `${String(seen().size)} of ${String(emitted)}`,
      );
      const ids = new Map<unknown, unknown>();
      for (const { headers, body } of receiver.at('/hook')) {
        const { n } = JSON.parse(body) as { n: number };
        expect(ids.get(n) ?? headers['webhook-id']).toBe(headers['webhook-id']);
        ids.set(n, headers['webhook-id']);
      }
      await transport.close();
      expect(await dispatcher.end()).toBe(0);
    },
    90_000 + rounds * 10_000,
  );
});
