import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { startPluginServer } from '../../src/testing/index.ts';
import type { Protocol } from '../../src/pdk/names/phases.ts';
import { plugin } from '../server/support/server-process.ts';
import { bounds } from './support/rounds.ts';

/** Lengths, counts and numbers that have hurt readers of frames. */
const numbers = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];
/** First bytes of MsgPack's types, and keys of Protobuf's. */
const marks = [
  0x00, 0x80, 0x8f, 0x90, 0x9f, 0xc0, 0xc1, 0xc4, 0xc6, 0xc9, 0xcb, 0xcf, 0xd3, 0xdb, 0xdd, 0xdf,
];

const mutation = fc.record({
  kind: fc.constantFrom('flip', 'number', 'mark', 'cut', 'drop', 'double', 'insert', 'nest', 'zeros'),
  at: fc.nat(),
  value: fc.nat(),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer One> ? One : never;

function mutated(bytes: Buffer, { kind, at: place, value }: Mutation): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length === 0) return copy;
  const at = place % copy.length;
  const number = numbers[value % numbers.length] ?? 0;
  const splice = (gone: number, ...parts: Uint8Array[]): Buffer =>
    Buffer.concat([copy.subarray(0, at), ...parts, copy.subarray(at + gone)]);
  switch (kind) {
    case 'flip':
      copy[at] = (copy[at] ?? 0) ^ (1 << (value % 8));
      return copy;
    case 'number':
      if (at + 4 <= copy.length) {
        if (value % 2 === 0) copy.writeUInt32LE(number, at);
        else copy.writeUInt32BE(number, at);
      }
      return copy;
    case 'mark':
      copy[at] = marks[value % marks.length] ?? 0;
      return copy;
    case 'cut':
      return copy.subarray(0, at);
    case 'drop':
      return splice(1 + (value % 16));
    case 'double':
      return splice(0, copy.subarray(at, at + 1 + (value % 64)));
    case 'insert':
      return splice(0, Buffer.alloc(1 + (value % 300), marks[value % marks.length]));
    case 'nest':
      return splice(0, Buffer.alloc(20_000, value % 2 === 0 ? 0x91 : 0x0a));
    default:
      return splice(0, Buffer.alloc(1 + (value % 70_000)));
  }
}

/** Writes bytes and their end, waits a while for the server to let go, and goes. */
function send(path: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const late = setTimeout(() => {
      socket.destroy();
    }, 300);
    socket
      .on('error', () => undefined)
      .once('close', () => {
        clearTimeout(late);
        resolve();
      });
    socket.resume().end(bytes);
  });
}

const memoryOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]) * 1024;

describe.concurrent.each<[Protocol, string, string]>([
  ['protobuf', 'steady', 'packed'],
  ['msgpack', 'packed', 'steady'],
])('mutated frames of %s', (protocol, name, other) => {
  it(
    'end their connection at most: the server goes on, in the memory that it had',
    { timeout: 120_000 },
    async ({ expect, onTestFinished }) => {
      const server = await startPluginServer({ plugins: [plugin(name), plugin(other)], workers: 0 });
      // Not drained: events of peers that are gone would be waited for.
      onTestFinished(async () => {
        await server.kill();
        await server.stop();
      });
      const kong = server.kong(protocol);
      const known = server.plugins.find((one) => one.protocol === protocol);
      if (known === undefined) throw new Error('no plugin speaks this protocol');
      const instance = await kong.startInstance(known);
      const answer = (await instance.request().run()).response?.status;
      const whole = Buffer.concat(kong.wire.filter(({ from }) => from === 'kong').map(({ bytes }) => bytes));
      const attack = async (batch: readonly Mutation[][]): Promise<void> => {
        await Promise.all(batch.map((steps) => send(server.socket, steps.reduce(mutated, whole))));
        const after = await instance.request().run();
        expect([after.error, after.response?.status]).toEqual([null, answer]);
      };
      const steps = fc.array(mutation, { minLength: 1, maxLength: 4 });
      const batches = fc.array(steps, { minLength: 20, maxLength: 20 });
      await fc.assert(fc.asyncProperty(batches, attack), { ...bounds(1), endOnFailure: true });
      const before = memoryOf(server.pid);
      await fc.assert(fc.asyncProperty(batches, attack), { ...bounds(3), endOnFailure: true });
      // What is kept of each of these connections would be ten times as much.
      expect(memoryOf(server.pid) - before).toBeLessThan(128 * 1024 * 1024);
      expect(server.output).not.toMatch(/uncaught|unhandled/i);
    },
  );
});
