import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HttpTarget } from '../../../src/event-hooks/delivery/http-target.ts';
import { TargetGuard } from '../../../src/event-hooks/delivery/target-guard.ts';

/** What a target does with a request that it has read. */
type Move = 'answer' | 'answer and say close' | 'end' | 'reset' | 'half an answer';

/** A target that plays moves: each connection goes on where the last one has stopped, and answers when they are used up. */
class FakeTarget {
  readonly sends = new Map<string, number>();
  readonly #moves: Move[];
  readonly #poison: ReadonlySet<string>;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(moves: readonly Move[], poison: ReadonlySet<string>) {
    this.#moves = [...moves];
    this.#poison = poison;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }
  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined).on('close', () => this.#open.delete(socket));
    let text = '';
    let over = false;
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const id = /^x-id: (.*)$/m.exec(text.slice(0, end).replaceAll('\r', ''))?.[1] ?? '';
        text = text.slice(end + 4);
        // Some servers go on reading after they have said that they close.
        this.sends.set(id, (this.sends.get(id) ?? 0) + 1);
        if (over) continue;
        const move = this.#poison.has(id) ? 'end' : (this.#moves.shift() ?? 'answer');
        over = move !== 'answer';
        if (move === 'answer') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else if (move === 'answer and say close')
          socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
        else if (move === 'half an answer') socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
        else if (move === 'end') socket.end();
        else socket.resetAndDestroy();
      }
    });
  }
}

const maxAttempts = 40;

/** Delivers requests at once, each again and again until it is answered; the attempts that are counted, by id. */
async function deliver(
  port: number,
  ids: readonly string[],
  poison: ReadonlySet<string>,
): Promise<Map<string, number>> {
  const target = new HttpTarget(`http://127.0.0.1:${String(port)}`, {
    guard: new TargetGuard({ allowLoopback: true }),
    sslVerify: true,
    timeoutMs: 10_000,
    maxResponseBytes: 1000,
    keepResponseBytes: 1000,
    pipelining: 16,
  });
  const attempts = new Map<string, number>();
  const one = async (id: string): Promise<void> => {
    for (let count = 0; count < maxAttempts;) {
      const answer = await target.send({ id, method: 'POST', path: '/', headers: ['x-id', id], body: null });
      expect(answer.sent, 'within one attempt').toBeLessThanOrEqual(2);
      count += Math.max(1, answer.sent);
      attempts.set(id, count);
      if (answer.error === null) return;
      if (poison.has(id) && count >= 6) return;
    }
    throw new Error(`${id} is lost`);
  };
  try {
    await Promise.all(ids.map(one));
  } finally {
    await target.destroy();
  }
  return attempts;
}

const idsOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `r${String(n)}`);

it('whatever a target closes, nothing is sent more often than attempts are counted, and nothing is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          { weight: 6, arbitrary: fc.constant<Move>('answer') },
          {
            weight: 1,
            arbitrary: fc.constantFrom<Move>('answer and say close', 'end', 'reset', 'half an answer'),
          },
        ),
        { maxLength: 60 },
      ),
      fc.integer({ min: 1, max: 24 }),
      fc.uniqueArray(fc.nat(23), { maxLength: 3 }),
      async (moves, count, poisoned) => {
        const poison = new Set(poisoned.map((n) => `r${String(n)}`));
        const target = new FakeTarget(moves, poison);
        try {
          const ids = idsOf(count);
          const attempts = await deliver(await target.listen(), ids, poison);
          for (const id of ids) {
            const sends = target.sends.get(id) ?? 0;
            expect(sends, id).toBeGreaterThanOrEqual(1);
            expect(sends, id).toBeLessThanOrEqual(attempts.get(id) ?? 0);
          }
        } finally {
          await target.close();
        }
      },
    ),
    { numRuns: 80 },
  );
});

it('a target that keeps its connections gets each request once', async () => {
  const target = new FakeTarget([], new Set());
  try {
    const ids = idsOf(100);
    const attempts = await deliver(await target.listen(), ids, new Set());
    expect([...target.sends.values()]).toEqual(ids.map(() => 1));
    expect([...attempts.values()]).toEqual(ids.map(() => 1));
  } finally {
    await target.close();
  }
});

it('a request at which a target closes costs those behind it one sending, and none when it is tried again', async () => {
  const poison = new Set(['r5']);
  const target = new FakeTarget([], poison);
  try {
    const ids = idsOf(20);
    const attempts = await deliver(await target.listen(), ids, poison);
    for (const id of ids) {
      if (poison.has(id)) continue;
      expect(target.sends.get(id)).toBeLessThanOrEqual(2);
      expect(attempts.get(id)).toBeLessThanOrEqual(2);
    }
    expect(attempts.get('r5')).toBe(6);
  } finally {
    await target.close();
  }
});
