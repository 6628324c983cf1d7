import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAdmin } from '../../src/event-hooks/admin/server.ts';
import { createDispatcher } from '../../src/event-hooks/dispatcher/dispatcher.ts';
import { createFront } from '../../src/kong-watch/front/front.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { listenMetrics } from '../../src/server/admin/listeners.ts';
import { memoryLog } from '../event-hooks/support/setup.ts';
import { bytesOf, exchange, sent } from './support/hostile-connections.ts';
import { bounds } from './support/rounds.ts';
import { headLeft, strictly } from './support/strict-reader.ts';
import type { Read } from './support/strict-reader.ts';

interface Upstream {
  readonly port: number;
  /** The bytes of each connection. */
  readonly connections: string[];
}

/** A listener that is attacked. */
interface Listener {
  readonly port: number;
  /** Where it hands requests on to; null where it answers them itself. */
  readonly upstream: Upstream | null;
  /** How the target of a request is written where it is handed on. */
  readonly prefix: string;
  /** Reads `Connection: content-length` as nginx does: the length counts. */
  readonly asNginx?: boolean;
}

/** Answers each request as soon as it is there. */
async function startUpstream(): Promise<Upstream> {
  const connections: string[] = [];
  const server = createServer((socket) => {
    const at = connections.push('') - 1;
    let answered = 0;
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        const text = (connections[at] ?? '') + bytes.toString('latin1');
        connections[at] = text;
        for (const { line } of strictly(text).slice(answered)) {
          answered += 1;
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${line.startsWith('HEAD ') ? '' : 'ok'}`);
        }
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, connections };
}

const local = { host: '127.0.0.1', port: 0 };

async function startHooks(inFront: boolean): Promise<Listener> {
  const dispatcher = await createDispatcher({ log: memoryLog() });
  const upstream = inFront ? await startUpstream() : null;
  const front =
    upstream === null
      ? null
      : createFront(`http://127.0.0.1:${String(upstream.port)}`, {
          lookNow: () => undefined,
          isCollection: () => false,
        });
  const admin = createAdmin(dispatcher, { front });
  onTestFinished(async () => {
    await admin.close();
    front?.close();
    await dispatcher.stop(0);
  });
  const port = Number(new URL(await admin.listen(local)).port);
  return { port, upstream, prefix: '' };
}

async function startServersAdmin(): Promise<Listener> {
  const nothing = (): void => undefined;
  const log = { debug: nothing, info: nothing, notice: nothing, warn: nothing, error: nothing };
  const status = { failures: [], plugins: [] } as never;
  const listener = await listenMetrics(
    local,
    {
      status: () => status,
      metrics: async () => ({ type: 'text/plain', text: '' }),
      reload: async () => ({}) as never,
      dump: async () => null,
      plugins: () => Promise.reject(new Error('not asked for')),
    },
    { ...log, child: () => log } as never,
  );
  onTestFinished(() => listener.close());
  return { port: Number(new URL(`http://${listener.address}`).port), upstream: null, prefix: '' };
}

async function startGateway(which: 'proxy' | 'admin'): Promise<Listener> {
  const upstream = await startUpstream();
  const folder = mkdtempSync(join(tmpdir(), 'kong-ts-smuggling-'));
  const url = `http://127.0.0.1:${String(upstream.port)}`;
  const file = join(folder, 'kong.yml');
  writeFileSync(
    file,
    `_format_version: "3.0"\nservices:\n- name: a\n  url: ${url}\n  routes:\n  - name: a\n    paths: [/]\n    strip_path: false\n`,
  );
  const sandbox = await startSandbox({
    config: [file],
    proxyListen: '127.0.0.1:0',
    adminListen: '127.0.0.1:0',
    eventHooksAdmin: url,
    log: () => undefined,
  });
  onTestFinished(async () => {
    await sandbox.close();
    rmSync(folder, { recursive: true });
  });
  const at = which === 'proxy' ? sandbox.proxyUrl : sandbox.adminUrl;
  return {
    port: Number(new URL(at ?? '').port),
    upstream,
    prefix: which === 'admin' ? '/event-hooks' : '',
    asNginx: which === 'proxy',
  };
}

const listeners: [name: string, start: () => Promise<Listener>][] = [
  ['event hooks in front of Kong', () => startHooks(true)],
  ['event hooks alone', () => startHooks(false)],
  ["the server's health and metrics", startServersAdmin],
  ["the sandbox's proxy", () => startGateway('proxy')],
  ["the sandbox's Admin API, with what it forwards", () => startGateway('admin')],
];

/** What is encoded, in one spelling. */
const upper = ({ line, body }: Read): Read => ({
  line: line.replace(/%[\da-f]{2}/g, (triplet) => triplet.toUpperCase()),
  body,
});
/** Answers, informational ones aside, and those among them that say that nothing was understood. */
const refusalsIn = (text: string): number =>
  text.match(/HTTP\/1\.1 (?:40[08]|41[34]|431|50[15]) /g)?.length ?? 0;
const answersIn = (text: string): number => text.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;

describe('of generated connections a listener sees what a reader sees that takes no chances, in its order, and no more', () => {
  it.each(listeners)('%s', async (_name, start) => {
    const { port, upstream, prefix, asNginx } = await start();
    let count = 0;
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { minLength: 60, maxLength: 60, size: 'max' }), async (all) => {
        const connections = all.map(({ pieces, cuts }) => {
          const id = `k${String((count += 1))}`;
          return { id, bytes: bytesOf(pieces, id, prefix), cuts };
        });
        const answers = await Promise.all(connections.map(({ bytes, cuts }) => exchange(port, bytes, cuts)));
        const seen = (upstream?.connections ?? []).flatMap((bytes) => {
          // One that breaks off has one framing, too.
          expect(
            headLeft(bytes).match(/^(?:content-length|transfer-encoding):/gim)?.length ?? 0,
          ).toBeLessThan(2);
          return strictly(bytes);
        });
        for (const [at, { id, bytes }] of connections.entries()) {
          const expected = strictly(bytes, asNginx);
          const number = answersIn(answers[at] ?? '');
          answered += Math.min(number, expected.length);
          // A head may be answered before its body is seen to be none; what comes after it is refused, once.
          const atMost = expected.length + (headLeft(bytes) === '' ? 0 : 1);
          expect(number - refusalsIn(answers[at] ?? ''), JSON.stringify(bytes)).toBeLessThanOrEqual(atMost);
          expect(number, JSON.stringify(bytes)).toBeLessThanOrEqual(atMost + 1);
          if (upstream === null) continue;
          const mine = (all: readonly Read[]): Read[] =>
            all.filter(({ line }) => line.includes(`/${id}/`)).map(upper);
          const got = mine(seen);
          expect(got, JSON.stringify(bytes)).toEqual(mine(expected).slice(0, got.length));
        }
      }),
      { ...bounds(4), endOnFailure: true },
    );
    // Not all of them are refused.
    expect(answered).toBeGreaterThan(count / 10);
  });
});
