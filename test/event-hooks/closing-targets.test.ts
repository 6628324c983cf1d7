import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { createServer as createNetServer } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClosingTargets } from '../../src/event-hooks/delivery/closing-targets.ts';
import { bench } from './support/setup.ts';

interface Target {
  port: number;
  /** The ids of the requests that came, in their order. */
  ids: string[];
}
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

function listening(server: NetServer): Promise<number> {
  onTestFinished(() => void server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Node with `Connection: close` on every answer, or on every n-th of a connection. */
async function nodeTarget(every = 1): Promise<Target> {
  const ids: string[] = [];
  const counts = new WeakMap<Socket, number>();
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      ids.push(String(request.headers['webhook-id']));
      const count = (counts.get(request.socket) ?? 0) + 1;
      counts.set(request.socket, count);
      if (count % every === 0) response.setHeader('connection', 'close');
      response.end('ok');
    });
  });
  return { port: await listening(server), ids };
}

/** Reads as bytes come, answers the first `answers` requests of a connection and closes it without a word before. */
async function silentTarget(answers: number): Promise<Target> {
  const ids: string[] = [];
  const server = createNetServer((socket) => {
    let text = '';
    let done = 0;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (;;) {
        const match = /^[\s\S]*?\r\n\r\n/.exec(text);
        const length = Number(/content-length: (\d+)/i.exec(match?.[0] ?? '')?.[1] ?? NaN);
        if (match === null || text.length < match[0].length + length || done >= answers) return;
        ids.push(/webhook-id: (\S+)/i.exec(match[0])?.[1] ?? '');
        text = text.slice(match[0].length + length);
        done += 1;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        if (done >= answers) socket.end();
      }
    });
  });
  return { port: await listening(server), ids };
}

const python = `
import sys, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = sys.argv[1]
    def do_POST(self):
        self.rfile.read(int(self.headers['content-length']))
        print(self.headers['webhook-id'], flush=True)
        self.send_response(200)
        if sys.argv[1] == 'HTTP/1.1':
            self.send_header('Connection', 'close')
            self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')
    def log_message(self, *a):
        pass
server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
`;
async function pythonTarget(protocol: string): Promise<Target> {
  const ids: string[] = [];
  const child = spawn('python3', ['-c', python, protocol], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const lines = createInterface(child.stdout);
  const port = await new Promise<number>((resolve) => {
    lines.once('line', (line) => {
      resolve(Number(line));
      lines.on('line', (id) => ids.push(id));
    });
  });
  return { port, ids };
}
const hasPython = spawnSync('python3', ['-c', 'import http.server']).status === 0;

/**
 * Emits 40 events at once to a webhook there; once all are recorded, what came and what the records say.
 * @param found how many may be sent twice until it is found out that the target closes connections
 */
async function deliver({ port, ids }: Target, found = 0): Promise<void> {
  // A retry would take longer than the test.
  const b = await bench({ retrySchedule: [3600] });
  const { id } = await b.hook({
    source: 's',
    handler: 'webhook',
    config: { url: `http://127.0.0.1:${String(port)}/` },
  });
  await b.settled();
  ids.length = 0;
  for (const n of numbers(40)) b.hub.emit('s', 'e', { n });
  await b.settled();
  const { body } = await b.api<{
    data: { id: string; state: string; attempts: number; payload: { n?: number } }[];
  }>('GET', `/event-hooks/${id}/deliveries?size=100`);
  const mine = body.data.filter((one) => one.payload.n !== undefined).reverse();
  expect(mine.map(({ state }) => state)).toEqual(numbers(40).map(() => 'delivered'));
  const twice = mine.filter(({ attempts }) => attempts > 1);
  expect(twice.length).toBeLessThanOrEqual(found);
  expect(twice.filter(({ attempts }) => attempts > 2)).toEqual([]);
  expect(ids).toEqual(mine.map((one) => one.id));
}

describe('40 events are 40 requests in order', () => {
  it('at a Node that closes after each answer', async () => {
    await deliver(await nodeTarget());
  });
  it('at a Python that closes after each answer', async () => {
    await deliver(hasPython ? await pythonTarget('HTTP/1.1') : await nodeTarget());
  });
  it('at a Python that speaks HTTP/1.0', async () => {
    if (hasPython) await deliver(await pythonTarget('HTTP/1.0'));
    else await deliver(await silentTarget(1), 16);
  });
  it.each([1, 2, 3, 7])('at a server that answers %i and closes without saying so', async (answers) => {
    await deliver(await silentTarget(answers), 16);
  });
  it('at a server that keeps connections', async () => {
    await deliver(await nodeTarget(1000));
  });
});

it('a target that closes after some answers is found out with few copies, and known to the next hook', async () => {
  const target = await nodeTarget(3);
  const b = await bench({ retrySchedule: [3600] });
  const url = `http://127.0.0.1:${String(target.port)}/`;
  for (const source of ['first', 'second']) {
    await b.hook({ source, handler: 'webhook', config: { url } });
    await b.settled();
    target.ids.length = 0;
    for (const n of numbers(60)) b.hub.emit(source, 'e', { n });
    await b.settled();
    expect(new Set(target.ids).size).toBe(60);
    // Node works on what comes after its own close; that is seen once, and then not again.
    expect(target.ids.length).toBeLessThanOrEqual(source === 'first' ? 60 + 16 : 60);
  }
});

describe('requests behind one that fails', () => {
  it('are not sent more often than attempts are counted', async () => {
    const sent = new Map<string, number>();
    let hang = '';
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const id = String(request.headers['webhook-id']);
        sent.set(id, (sent.get(id) ?? 0) + 1);
        if (body.includes('"hang"')) hang = id;
        else response.end('ok');
      });
    });
    const port = await listening(server);
    onTestFinished(() => {
      server.closeAllConnections();
    });
    const b = await bench({ retrySchedule: [0.2, 0.2], timeoutMs: 1000 });
    const { id } = await b.hook({
      source: 's',
      handler: 'webhook',
      config: { url: `http://127.0.0.1:${String(port)}/` },
    });
    await b.settled();
    for (const n of numbers(30)) b.hub.emit('s', n === 10 ? 'hang' : 'e', { n });
    await b.hub.flush();
    await expect
      .poll(async () => {
        await b.settled();
        const { body } = await b.api<{ data: { state: string }[] }>(
          'GET',
          `/event-hooks/${id}/deliveries?size=100`,
        );
        return body.data.map((one) => one.state).filter((state) => state !== 'delivered');
      })
      .toEqual(['dead']);
    const { body } = await b.api<{ data: { id: string; attempts: number }[] }>(
      'GET',
      `/event-hooks/${id}/deliveries?size=100`,
    );
    expect(hang).not.toBe('');
    for (const one of body.data) {
      expect(sent.get(one.id)).toBeLessThanOrEqual(one.attempts);
      // The one that hangs takes others along once, and is tried alone from then on.
      if (one.id !== hang) expect(one.attempts).toBeLessThanOrEqual(2);
    }
  });
});

describe('what is known of closing targets', () => {
  it('is the least, and is forgotten in time', () => {
    let now = 0;
    const known = new ClosingTargets(() => now);
    expect(known.allowance('a')).toBe(Infinity);
    known.closed('a', 5);
    known.closed('a', 9);
    expect(known.allowance('a')).toBe(5);
    known.closed('a', 0);
    expect(known.allowance('a')).toBe(1);
    now += 600_001;
    expect(known.allowance('a')).toBe(Infinity);
  });

  it('is bounded', () => {
    const known = new ClosingTargets(() => 0);
    for (const n of numbers(1500)) known.closed(String(n), 1);
    expect(numbers(1500).filter((n) => known.allowance(String(n)) === 1).length).toBe(1000);
  });
});
