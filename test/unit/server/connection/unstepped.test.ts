import { afterEach, beforeEach, expect, test } from 'vitest';
import { createKong } from '../../../../src/pdk/index.ts';
import type { KongApi } from '../../../../src/pdk/index.ts';
import { lookAtRuntime, serveConnection } from '../../../../src/server/connection/index.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import type { TestHost } from '../../../support/connection-host.ts';
import { MsgpackKong, noAnswer } from '../../../support/fake-kong.ts';
import { listenUnix, turns } from '../../../support/unix-server.ts';
import type { UnixServer } from '../../../support/unix-server.ts';

let host: TestHost;
let server: UnixServer;

beforeEach(async () => {
  host = testHost({ createKong, maxUnsteppedBytes: 100 * 4096 });
  host.instances.set(
    1,
    testInstance(1, {
      access: async (kong) => {
        const api = kong as KongApi;
        await api.request.getRawBody();
        await api.request.getMethod();
      },
    }),
  );
  server = await listenUnix((socket) => void serveConnection(socket, host));
});
afterEach(() => server.close());

test('of the events that one connection begins and never goes on with, those that waited longest are given up', async () => {
  const kong = new MsgpackKong(await server.open());
  for (let at = 0; at < 300; at++) await kong.event(1, 'access', () => noAnswer);
  await turns();
  expect(lookAtRuntime(host).steppedEvents).toBe(100);
  expect(lookAtRuntime(host).events).toBe(100);
  expect(host.lines.filter(({ message }) => message.startsWith('An event was given up'))).toHaveLength(200);
  // Who goes on is served.
  const { methods, finished } = await kong.event(1, 'access', (method) =>
    method === 'kong.request.get_method' ? 'GET' : 'a body',
  );
  expect([methods.length, finished]).toEqual([2, true]);
});

test('what Kong has answered to them counts, as well', async () => {
  const kong = new MsgpackKong(await server.open());
  for (let at = 0; at < 50; at++) {
    await kong.event(1, 'access', (method) =>
      method === 'kong.request.get_raw_body' ? 'x'.repeat(40 * 1024) : noAnswer,
    );
  }
  await turns();
  const held = lookAtRuntime(host).steppedEvents;
  expect(held).toBe(Math.floor((100 * 4096) / (40 * 1024 + 4096 + 100)));
});

test('an event that has ended without a step counts until it is forgotten', async () => {
  const kong = new MsgpackKong(await server.open());
  for (let at = 0; at < 80; at++) await kong.event(1, 'access', () => noAnswer);
  host.clock.advance(31_000);
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, steppedEvents: 80 });
  for (let at = 0; at < 80; at++) await kong.event(1, 'access', () => noAnswer);
  await turns();
  expect(lookAtRuntime(host)).toMatchObject({ events: 80, steppedEvents: 100 });
  host.clock.advance(200_000);
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, steppedEvents: 0, deadlines: 0 });
});
