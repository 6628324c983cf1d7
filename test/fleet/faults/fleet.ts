import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseDeliveryId } from '../../../src/event-hooks/handlers/types.ts';
import { DispatcherProcess } from '../../event-hooks/support/process.ts';
import type { Entry } from './history.ts';
import { Proxy } from './proxy.ts';

/** A node of the fleet: a process, and its own way to the database. */
export interface Node {
  readonly name: string;
  readonly proxy: Proxy;
  process: DispatcherProcess | null;
}

const options = ['--admin', '127.0.0.1:0', '--allow-loopback', '--target-concurrency', '4'];
const retries = ['--retry-schedule', Array.from({ length: 60 }, () => '1').join(',')];

export async function startNode(name: string, databasePort: number): Promise<Node> {
  const node: Node = { name, proxy: await Proxy.start(databasePort), process: null };
  await startProcess(node);
  return node;
}

export async function startProcess(node: Node): Promise<void> {
  const store = `postgres://kong@127.0.0.1:${String(node.proxy.port)}/postgres`;
  node.process = await DispatcherProcess.start(['--store', store, ...options, ...retries]);
}

/** A server that records what arrives, and answers after a moment of below `mostMs`, another one each time. */
export async function startTarget(
  name: string,
  record: (entry: Entry) => void,
  mostMs: number,
): Promise<{ url: string; end: () => Promise<void> }> {
  let requests = 0;
  const server = createServer((request, response) => {
    const at = performance.now();
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      setTimeout(
        () => {
          const id = parseDeliveryId(String(request.headers['webhook-id']));
          const until = performance.now();
          response.end('ok');
          if (id === null || body.includes('"event":"ping"')) return;
          record({ what: 'arrived', at, until, event: id.eventId, hook: id.hookId, target: name, node: '' });
        },
        (requests += 1) % mostMs,
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/in`,
    end: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Numbers from 0 to below 1 that are the same for the same seed. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
