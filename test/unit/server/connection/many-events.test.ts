import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { messageOf } from '../../../../src/base/errors.ts';
import { createKong } from '../../../../src/pdk/index.ts';
import type { KongApi } from '../../../../src/pdk/index.ts';
import { lookAtRuntime, serveConnection } from '../../../../src/server/connection/index.ts';
import { readEventAnswer } from '../../../../src/wire/msgpack/kong-side.ts';
import { encodeFrame } from '../../../../src/wire/protobuf/framing.ts';
import { decodeRpcReturn } from '../../../../src/wire/protobuf/kong-side.ts';
import { decodeArguments, encodeResult } from '../../../../src/wire/protobuf/kong-side.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import type { PhaseHandlers, TestHost } from '../../../support/connection-host.ts';
import { MsgpackKong, noAnswer, ProtobufKong } from '../../../support/fake-kong.ts';
import { listenUnix, turns } from '../../../support/unix-server.ts';
import type { UnixServer } from '../../../support/unix-server.ts';

let host: TestHost;
let server: UnixServer;
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);

beforeEach(async () => {
  host = testHost({ createKong });
  unhandled.length = 0;
  process.on('unhandledRejection', onUnhandled);
  server = await listenUnix((socket) => void serveConnection(socket, host));
});
afterEach(async () => {
  await server.close();
  await turns();
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});

const access = (id: number, handler: (kong: KongApi) => unknown) => {
  const handlers: PhaseHandlers = { access: (kong) => handler(kong as KongApi) };
  host.instances.set(id, testInstance(id, handlers));
};

/** What one event is to do: getters before a pause, setters, getters that are started together, and its end. */
interface Plan {
  readonly protocol: 'protobuf' | 'msgpack';
  readonly alone: number;
  readonly together: number;
  readonly setters: number;
  readonly pauses: number;
  readonly end: 'return' | 'exit' | 'throw' | 'late';
}
const plan: fc.Arbitrary<Plan> = fc.record({
  protocol: fc.constantFrom('protobuf', 'msgpack'),
  alone: fc.nat({ max: 3 }),
  together: fc.nat({ max: 4 }),
  setters: fc.nat({ max: 3 }),
  pauses: fc.nat({ max: 4 }),
  end: fc.constantFrom('return', 'exit', 'throw', 'late'),
});

/** What Kong saw of an event. */
interface Seen {
  readonly token: string;
  /** Every name and value that came in its calls. */
  readonly words: string[];
  readonly status: number | null;
}

const words = (args: readonly unknown[]) =>
  args.filter((arg): arg is string => typeof arg === 'string' && arg.startsWith('e'));

/** Answers `value of <header>`; every wait is as long as `pause` says. */
async function overProtobuf(
  kong: ProtobufKong,
  token: string,
  id: number,
  pause: () => Promise<void>,
): Promise<Seen> {
  kong.start(id, 'access');
  const seen: string[] = [];
  for (;;) {
    await pause();
    const name = (await kong.frame()).toString('latin1');
    if (name === '') break;
    const frame = await kong.frame();
    if (name === 'kong.response.exit') {
      const [status] = decodeArguments('ExitArgs', frame) as [number];
      kong.client.end();
      return { token, words: seen, status };
    }
    const getter = name === 'kong.request.get_header';
    const args = decodeArguments(getter ? 'String' : 'KV', frame);
    seen.push(...words(args));
    const answer = encodeFrame(
      encodeResult(
        getter ? 'String' : 'google.protobuf.Empty',
        getter ? `value of ${String(args[0])}` : null,
      ),
    );
    // In two parts, so that answers arrive torn.
    kong.client.write(answer.subarray(0, 3));
    await pause();
    kong.client.write(answer.subarray(3));
  }
  decodeRpcReturn(await kong.frame());
  return { token, words: seen, status: null };
}

async function overMsgpack(
  pool: MsgpackKong[],
  token: string,
  id: number,
  pause: () => Promise<void>,
): Promise<Seen> {
  const seen: string[] = [];
  // Every call of an event takes whichever connection is free, as Kong's pool does.
  const request = async (method: string, argument: unknown) => {
    while (pool.length === 0) await turns(1);
    const kong = pool.pop() as MsgpackKong;
    const answer = await kong.request(method, argument);
    pool.unshift(kong);
    return answer;
  };
  let { error, result } = await request('plugin.HandleEvent', { InstanceId: id, EventName: 'access' });
  for (;;) {
    if (error !== null) throw new Error(messageOf(error));
    await pause();
    const step = readEventAnswer(result);
    if (step.done) return { token, words: seen, status: null };
    if (step.method === 'kong.response.exit') return { token, words: seen, status: step.args[0] as number };
    seen.push(...words(step.args));
    const data =
      step.method === 'kong.request.get_header' ? { Data: `value of ${String(step.args[0])}` } : {};
    ({ error, result } = await request('plugin.Step', { EventId: step.eventId, ...data }));
  }
}

test('events of both protocols in any order and interleaving never get each other’s answers', async () => {
  const protobuf: ProtobufKong[] = [];
  const msgpack: MsgpackKong[] = [];
  for (let count = 0; count < 3; count++) msgpack.push(new MsgpackKong(await server.open()));
  let next = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(plan, { minLength: 2, maxLength: 10 }),
      fc.array(fc.nat({ max: 3 }), { minLength: 20, maxLength: 60 }),
      async (plans, delays) => {
        let at = 0;
        const pause = () => turns(delays[at++ % delays.length] ?? 0);
        const got = new Map<string, string[]>();
        const wanted = new Map<string, { words: string[]; status: number | null }>();
        const late: unknown[] = [];
        const events = plans.map(async (each) => {
          const id = ++next;
          const token = `e${id}`;
          const mine: string[] = [];
          got.set(token, mine);
          const names = (count: number, kind: string) =>
            Array.from({ length: count }, (_, n) => `${token}-${kind}${n}`);
          const [alone, together, setters] = [
            names(each.alone, 'a'),
            names(each.together, 't'),
            names(each.setters, 's'),
          ];
          const status = each.end === 'exit' ? 403 : each.end === 'throw' ? 500 : null;
          // Setters that are still waiting when the handler throws leave before the 500.
          wanted.set(token, { words: [...alone, ...setters, ...together], status });
          access(id, async (kong) => {
            for (const name of alone) mine.push(String(await kong.request.getHeader(name)));
            for (const name of setters) await kong.response.setHeader(name, 'x');
            await turns(each.pauses);
            const answers = await Promise.all(together.map((name) => kong.request.getHeader(name)));
            mine.push(...answers.map(String));
            if (each.end === 'exit') await kong.response.exit(403);
            if (each.end === 'throw') throw new Error('boom');
            if (each.end === 'late') {
              // Calls of an event that is over must not slip into the next one on the connection.
              void turns(each.pauses + 1).then(() =>
                kong.request.getHeader('stray').catch((error: unknown) => late.push(error)),
              );
            }
          });
          let seen: Seen;
          if (each.protocol === 'msgpack') seen = await overMsgpack(msgpack, token, id, pause);
          else {
            const kong = protobuf.pop() ?? new ProtobufKong(await server.open());
            seen = await overProtobuf(kong, token, id, pause);
            if (seen.status === null) protobuf.push(kong);
          }
          host.instances.delete(id);
          return { seen, each };
        });
        for (const { seen, each } of await Promise.all(events)) {
          const { words: expected, status } = wanted.get(seen.token) ?? { words: [], status: -1 };
          const getters = expected.filter((word) => !word.includes('-s'));
          expect(seen).toEqual({ token: seen.token, words: expected, status });
          expect(got.get(seen.token)).toEqual(getters.map((name) => `value of ${name}`));
          expect(each).toBeDefined();
        }
        await turns(8);
        expect(late).toHaveLength(plans.filter(({ end }) => end === 'late').length);
        for (const error of late) expect(error).toMatchObject({ code: 'PDK_EVENT_ENDED' });
      },
    ),
    { numRuns: 60 },
  );
  host.clock.advance(200_000);
  await turns();
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, steppedEvents: 0, deadlines: 0 });
});

/** Events over each protocol, on 100 connections, a multiple of 400; CI has 5,200. */
const many = Number(process.env.KONG_TS_MANY_EVENTS ?? 1200);

describe('many events ending in exit, error, timeout or an abandoned step leave nothing behind', () => {
  const endings: ((kong: KongApi) => unknown)[] = [
    (kong) => kong.response.exit(403),
    () => Promise.reject(new Error('boom')),
    () => new Promise(() => undefined),
    (kong) => kong.request.getMethod(),
  ];

  test.each(['protobuf', 'msgpack'] as const)(
    `${String(many)} over %s`,
    async (protocol) => {
      endings.forEach((handler, id) => access(id, handler));
      let running = true;
      const connection = async (worker: number) => {
        let kong: ProtobufKong | MsgpackKong | null = null;
        for (let count = 0; count < many / 100; count++) {
          // Kong drops the connection of ProtoBuf:1 after each of these, and goes on with that of MsgPack:1.
          if (protocol === 'protobuf') kong = new ProtobufKong(await server.open());
          else kong ??= new MsgpackKong(await server.open());
          expect((await kong.event((count + worker) % 4, 'access', () => noAnswer)).finished).toBe(false);
          if (kong instanceof ProtobufKong) kong.client.destroy();
        }
      };
      const time = async () => {
        while (running) {
          host.clock.advance(31_000);
          await turns(2);
        }
      };
      const clock = time();
      await Promise.all(Array.from({ length: 100 }, (_, worker) => connection(worker)));
      running = false;
      await clock;
      for (let step = 0; step < 4; step++) {
        host.clock.advance(61_000);
        await turns();
      }
      const connections = protocol === 'msgpack' ? 100 : 0;
      expect(lookAtRuntime(host)).toEqual({ connections, events: 0, steppedEvents: 0, deadlines: 0 });
      const instances = [...host.instances.values()];
      expect(instances.map(({ stats }) => stats.access.events)).toEqual([
        many / 4,
        many / 4,
        many / 4,
        many / 4,
      ]);
      expect(instances.map(({ usage }) => usage.events)).toEqual([0, 0, 0, 0]);
      expect(host.clock.timers).toBe(0);
    },
    180_000,
  );
});
