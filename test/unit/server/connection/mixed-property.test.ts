import type { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PhaseChannel } from '../../../../src/pdk/channel.ts';
import { ConnectionPool } from '../../../../src/kong-end/plugin-server/pool.ts';
import { MsgpackClient } from '../../../../src/kong-end/plugin-server/msgpack-client.ts';
import { ProtobufClient } from '../../../../src/kong-end/plugin-server/protobuf-client.ts';
import { KongConnection } from '../../../../src/server/connection/connection.ts';
import { lookAtRuntime } from '../../../../src/server/connection/index.ts';
import { runtimeOf } from '../../../../src/server/connection/runtime.ts';
import { rowOf } from '../../../conformance/transcripts/transcript.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import { expectNoUnhandledRejections } from '../../../support/no-unhandled.ts';
import { listenUnix, turns } from '../../../support/unix-server.ts';

expectNoUnhandledRejections();

const getShared = rowOf('kong.ctx.shared.get');
const setShared = rowOf('kong.ctx.shared.set');

type Step = 'ask' | 'ask twice' | 'set' | 'turn' | 'ask last';

/** What a plugin does; each of its questions has to be answered with the name of its own event. */
function handler(steps: readonly Step[], strange: unknown[]) {
  return async (kong: unknown) => {
    const channel = kong as PhaseChannel;
    const who = await channel.call(getShared, ['who']);
    const ask = async () => {
      const answer = await channel.call(getShared, ['who']);
      if (answer !== who) strange.push([who, answer]);
    };
    for (const step of steps) {
      if (step === 'ask') await ask();
      else if (step === 'ask twice') await Promise.all([ask(), ask()]);
      else if (step === 'set') channel.send(setShared, ['mine', String(who)]);
      else if (step === 'turn') await turns(1);
      else {
        const last = channel.askLast?.(getShared, ['who'], (value) => value);
        if (last !== undefined && (await last) !== who) strange.push([who, 'last']);
      }
    }
  };
}

/** Hands bytes on in pieces of the given sizes, one after the other. */
function inPieces(socket: Socket, connection: KongConnection, sizes: readonly number[]): void {
  let next = 0;
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      const size = sizes[next++ % sizes.length] ?? chunk.length;
      const piece = Buffer.from(chunk.subarray(at, at + size));
      connection.read(piece);
      piece.fill(0xff);
      at += size;
    }
  });
}

const script = fc.array(fc.constantFrom<Step>('ask', 'ask twice', 'set', 'turn'), { maxLength: 5 });
const world = fc.record({
  sizes: fc.array(fc.constantFrom(1, 1, 2, 3, 5, 8, 64, 65_536), { minLength: 1, maxLength: 6 }),
  /** Two plugins of each protocol: the first two are ProtoBuf:1. */
  scripts: fc.tuple(script, script, script, script),
  endsEarly: fc.boolean(),
  events: fc.array(
    fc.record({
      worker: fc.nat({ max: 2 }),
      plugin: fc.nat({ max: 3 }),
      phase: fc.constantFrom('rewrite', 'access', 'log'),
      after: fc.nat({ max: 3 }),
    }),
    { minLength: 1, maxLength: 30 },
  ),
});

test('events of any plugins and protocols, on the shared connections of three nginx workers, in any pieces', async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ sizes, scripts, endsEarly, events }) => {
      const strange: unknown[] = [];
      const host = testHost();
      scripts.forEach((steps, plugin) => {
        const run = handler(steps, strange);
        const log = handler(endsEarly ? [...steps, 'ask last'] : steps, strange);
        host.instances.set(plugin + 1, testInstance(plugin + 1, { rewrite: run, access: run, log }));
      });
      const server = await listenUnix((socket) => {
        inPieces(socket, new KongConnection(runtimeOf(host), socket), sizes);
      });
      const options = { path: server.path, timeoutMs: 20_000, maxMessageBytes: 1 << 20 };
      const workers = [0, 1, 2].map(() => {
        const pool = new ConnectionPool(options);
        const pb = () => new ProtobufClient(pool, options);
        const mp = () => new MsgpackClient(pool, options, () => undefined);
        return { pool, clients: [pb(), pb(), mp(), mp()] };
      });
      try {
        const running: Promise<void>[] = [];
        for (const [number, { worker, plugin, phase, after }] of events.entries()) {
          const client = workers[worker]?.clients[plugin];
          const answer = (method: string) => (method === getShared.name ? `event ${String(number)}` : null);
          if (client !== undefined) running.push(client.handleEvent(plugin + 1, phase, answer));
          if (after > 0) await turns(after);
        }
        await Promise.all(running);
        await turns();
        expect(strange).toEqual([]);
        expect(host.lines).toEqual([]);
        expect(lookAtRuntime(host)).toMatchObject({ events: 0, steppedEvents: 0, deadlines: 0 });
      } finally {
        for (const { pool } of workers) pool.close();
        await server.close();
      }
    }),
    { numRuns: 60 },
  );
});
