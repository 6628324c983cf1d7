import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import type { InstanceRecord, Message } from '../../../src/server/ipc/messages.ts';
import { Outgoing } from '../../../src/server/ipc/outgoing.ts';
import { Peer } from '../../../src/server/ipc/peer.ts';

const MiB = 1024 * 1024;
const record = (id: number, bytes: number): InstanceRecord => ({
  id,
  name: 'p',
  config: new Uint8Array(bytes),
  startedAt: 0,
});
const step = (owner: number, size: number): Parameters<Peer['ask']>[0] => ({
  op: 'step',
  owner,
  message: { eventId: 1, data: Buffer.alloc(size), failed: false, size },
});

/** A process with a channel that reads nothing from it. */
function blocked(): ChildProcess {
  const code = 'for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
  const child = spawn(process.execPath, ['-e', code], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  onTestFinished(async () => {
    expect(child.exitCode).toBe(null);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

it('a process that reads nothing costs its supervisor a bounded number of bytes, and whoever asks it is told', async () => {
  const child = blocked();
  const outgoing = new Outgoing((message, sent) => void child.send(message, sent), 32 * MiB);
  // One of each: what this test makes itself is not what is counted.
  const found = record(1, 4 * MiB);
  const large = step(1, 4 * MiB);
  const peer = new Peer(outgoing, ({ op }) => (op === 'find' ? found : null));
  const before = process.memoryUsage.rss();
  const asked = Array.from({ length: 100 }, () => peer.ask(large).catch((error: Error) => error.message));
  // It asked before it stood still.
  for (let id = 0; id < 100; id += 1) peer.receive({ type: 'ask', id, ask: { op: 'find', id: 1 } });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(outgoing.bytes).toBeLessThanOrEqual(33 * MiB);
  expect(process.memoryUsage.rss() - before).toBeLessThan(300 * MiB);
  peer.close('it has ended');
  const said = await Promise.all(asked);
  expect(said.filter((text) => text === 'it has ended').length).toBeLessThanOrEqual(9);
  expect(said.filter((text) => String(text).includes('does not read')).length).toBeGreaterThan(90);
});

it('what has left makes room; small messages and errors always leave; a single one may be as large as it is', async () => {
  const sent: (() => void)[] = [];
  const written: Message[] = [];
  const outgoing = new Outgoing((message, left) => {
    written.push(message);
    sent.push(left);
  }, 10_000);
  const peer = new Peer(outgoing, () => record(1, 9000));
  void peer.ask({ op: 'record', record: record(1, 50_000), asked: null }).catch(() => undefined);
  await expect(peer.ask({ op: 'record', record: record(2, 9000), asked: null })).rejects.toThrow(
    'does not read',
  );
  expect(outgoing.send({ type: 'forget', id: 1 })).toBe(true);
  peer.receive({ type: 'ask', id: 7, ask: { op: 'find', id: 1 } });
  await new Promise((resolve) => setImmediate(resolve));
  expect(written.at(-1)).toMatchObject({
    type: 'answer',
    id: 7,
    error: { message: expect.stringContaining('does not read') as string },
  });
  for (const left of sent) {
    left();
    left();
  }
  expect(outgoing.bytes).toBe(0);
  peer.receive({ type: 'ask', id: 8, ask: { op: 'find', id: 1 } });
  await new Promise((resolve) => setImmediate(resolve));
  expect(written.at(-1)).toMatchObject({ type: 'answer', id: 8, error: null });
  peer.close('end');
});
