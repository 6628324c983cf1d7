import { beforeEach, expect, test } from 'vitest';
import { rowByName } from '../../../../src/pdk/catalogue.ts';
import type { FunctionRow } from '../../../../src/pdk/catalogue.ts';
import type { PhaseChannel } from '../../../../src/pdk/channel.ts';
import { createKong } from '../../../../src/pdk/index.ts';
import type { KongApi } from '../../../../src/pdk/index.ts';
import { lookAtRuntime } from '../../../../src/server/connection/index.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import type { TestHost } from '../../../support/connection-host.ts';
import { KongModel } from '../../../support/kong-model.ts';
import { expectNoUnhandledRejections } from '../../../support/no-unhandled.ts';
import { turns } from '../../../support/unix-server.ts';

let host: TestHost;
let kong: KongModel;
beforeEach(() => {
  host = testHost({ createKong });
  kong = new KongModel(host);
});
expectNoUnhandledRejections();

const last = (kong: KongApi): Promise<string> => kong.log.serializeRaw({ last: true });

function run(handler: (kong: KongApi) => unknown) {
  const instance = testInstance(7, { log: (kong) => handler(kong as KongApi) });
  host.instances.set(7, instance);
  return instance.stats.log;
}
const nothingLeft = () => expect(lookAtRuntime(host)).toMatchObject({ events: 0, deadlines: 0 });

test('the last call and the end of the event are one write', async () => {
  const records: string[] = [];
  const stats = run(async (kong) => {
    await kong.log.notice('before');
    records.push(await last(kong));
  });
  for (let event = 0; event < 3; event++) {
    const seen = await kong.event(7, 'log');
    expect(seen.calls).toEqual(['kong.log.notice(before)', 'kong.log.serialize()']);
    expect(seen.writes).toBe(1);
  }
  expect(records).toEqual(['@0', '@0', '@0']);
  expect(stats).toMatchObject({ events: 3, calls: 3, sends: 3, errors: 0 });
  nothingLeft();
});

test('calls before it settle before it, also where all answers come together', async () => {
  const seen: string[] = [];
  const stats = run(async (channel) => {
    const slowly = async (call: Promise<unknown>, name: string) => {
      await call;
      for (let step = 0; step < 5; step++) await Promise.resolve();
      seen.push(name);
    };
    await Promise.all([
      slowly(channel.request.getHeader('a'), 'a'),
      slowly(channel.request.getHeader('b'), 'b'),
      last(channel).then(() => seen.push('record')),
    ]);
  });
  await kong.event(7, 'log');
  await turns();
  expect(seen).toEqual(['a', 'b', 'record']);
  expect(stats).toMatchObject({ events: 1, errors: 0 });
  nothingLeft();
});

test('the next command is not taken for the answer, also when both come together', async () => {
  const records: string[] = [];
  let events = 0;
  run(async (channel) => {
    if (events++ === 0) kong.held = true;
    records.push(await last(channel));
  });
  const first = kong.event(7, 'log');
  await turns(2);
  const second = kong.event(7, 'log');
  kong.release();
  await Promise.all([first, second]);
  await turns();
  expect(records).toEqual(['@0', '@0']);
  nothingLeft();
});

test('the event counts until the answer has come and its handler has returned', async () => {
  let go: (() => void) | undefined;
  const stats = run(async (channel) => {
    kong.held = true;
    await last(channel);
    await new Promise<void>((resolve) => (go = resolve));
  });
  void kong.event(7, 'log');
  await turns(3);
  void kong.connection.drain(10);
  host.clock.advance(2100);
  await turns();
  expect(kong.writableEnded).toBe(false);
  expect(lookAtRuntime(host).events).toBe(1);
  kong.release();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(kong.writableEnded).toBe(true);
  expect(lookAtRuntime(host).events).toBe(1);
  go?.();
  await turns();
  expect(stats.events).toBe(1);
  kong.break();
  nothingLeft();
});

test('a handler that does not wait for the answer ends with it', async () => {
  run((channel) => {
    kong.held = true;
    void last(channel);
  });
  void kong.event(7, 'log');
  await turns(3);
  expect(lookAtRuntime(host).events).toBe(1);
  kong.release();
  await turns(3);
  nothingLeft();
});

test('calls after it are calls after the end', async () => {
  const reasons: unknown[] = [];
  run(async (kong) => {
    const record = last(kong);
    reasons.push(await kong.log.notice('late').catch((error: unknown) => error));
    await record;
    reasons.push(await kong.request.getHeader('a').catch((error: unknown) => error));
  });
  const seen = await kong.event(7, 'log');
  await turns();
  expect(reasons).toMatchObject([{ code: 'PDK_EVENT_ENDED' }, { code: 'PDK_EVENT_ENDED' }]);
  expect(seen.calls).toEqual(['kong.log.serialize()']);
});

test.each([false, true])('a handler that fails afterwards is logged (answer awaited: %s)', async (waits) => {
  const stats = run(async (kong) => {
    const record = last(kong);
    if (waits) await record;
    throw new Error('too bad');
  });
  await kong.event(7, 'log');
  await turns();
  expect(host.lines).toMatchObject([{ level: 'error', message: /the handler failed: too bad/ }]);
  expect(stats).toMatchObject({ events: 1, errors: 1 });
  nothingLeft();
});

test('an answer that cannot be read fails the handler, and the connection goes on', async () => {
  kong.unreadable = new Set(['kong.log.serialize']);
  const stats = run(last);
  for (let event = 0; event < 2; event++) await kong.event(7, 'log');
  await turns();
  expect(stats).toMatchObject({ events: 2 });
  nothingLeft();
});

test('the time limit covers the answer and what the handler does with it', async () => {
  let held = true;
  const stats = run(async (channel) => {
    kong.held = held;
    await last(channel);
    await new Promise(() => undefined);
  });
  void kong.event(7, 'log');
  await turns(3);
  host.clock.advance(31_000);
  expect(host.lines.at(-1)?.message).toContain('Kong has not answered kong.log.serialize');
  nothingLeft();
  held = false;
  kong.release();
  await kong.event(7, 'log');
  await turns(3);
  host.clock.advance(31_000);
  expect(host.lines.at(-1)?.message).toContain('ran longer than 30000 ms');
  expect(stats).toMatchObject({ events: 2, timeouts: 2 });
  nothingLeft();
});

test('a connection that breaks before the answer rejects it', async () => {
  const reasons: unknown[] = [];
  run(async (channel) => {
    kong.held = true;
    reasons.push(await last(channel).catch((error: unknown) => error));
  });
  void kong.event(7, 'log');
  await turns(3);
  kong.break();
  await turns();
  expect(reasons).toMatchObject([{ code: 'PDK_CALL_FAILED' }]);
  nothingLeft();
});

test('a handler that is slow with its record does not touch the calls of the next event', async () => {
  const records: unknown[] = [];
  let go: (() => void) | undefined;
  let event = 0;
  run(async (channel) => {
    if (event++ === 0) {
      await last(channel);
      await new Promise<void>((resolve) => (go = resolve));
      return;
    }
    kong.held = true;
    records.push(await channel.log.serializeRaw());
  });
  await kong.event(7, 'log');
  const second = kong.event(7, 'log');
  await turns(3);
  go?.();
  await turns();
  kong.release();
  await second;
  expect(records).toEqual(['@0']);
  nothingLeft();
});

test('a connection that is to end does so with the last word, as ever', async () => {
  run(async (channel) => {
    void kong.connection.drain(10);
    host.clock.advance(2100);
    await last(channel);
  });
  expect((await kong.event(7, 'log')).writes).toBe(2);
  expect(kong.writableEnded).toBe(true);
  kong.break();
  nothingLeft();
});

test('where a failure still matters to Kong, it is a call like any other', async () => {
  const row = rowByName('kong.request.get_method') as FunctionRow;
  const handler = (kong: unknown) => (kong as Required<PhaseChannel>).askLast(row, [], (value) => value);
  host = testHost();
  kong = new KongModel(host);
  host.instances.set(7, testInstance(7, { access: handler }));
  expect((await kong.event(7, 'access')).writes).toBe(2);
});
