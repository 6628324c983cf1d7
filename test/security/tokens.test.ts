import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';

import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { grpcTarget } from '../../src/event-hooks/grpc/address.ts';
import { serveGrpc } from '../../src/event-hooks/grpc/server.ts';
import { eventHooksService } from '../../src/event-hooks/grpc/service.ts';
import { parseServeOptions } from '../../src/event-hooks/serve/options.ts';
import { serveDispatcher } from '../../src/event-hooks/serve/serve.ts';
import { bench, memoryLog } from '../event-hooks/support/setup.ts';
import { whenQuiet } from '../support/quiet-socket.ts';
import { bounds } from './support/rounds.ts';

const token = 'correct-horse';

/** An Admin API with a token, as `hooks serve` starts it, in front of a Kong that says what it was asked. */
async function start(front: boolean): Promise<{ port: number; passedOn: string[] }> {
  const passedOn: string[] = [];
  const kong = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        passedOn.push(bytes.toString('latin1').split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}');
      });
  });
  await new Promise<void>((resolve) => kong.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((kong.address() as AddressInfo).port)}`;
  const args = ['--admin', '127.0.0.1:0', ...(front ? ['--kong-admin', url, '--crud-interval', '3600'] : [])];
  const options = parseServeOptions(args, { KONG_TS_ADMIN_TOKEN: token });
  const served = await serveDispatcher({
    ...options,
    dispatcher: { ...options.dispatcher, log: memoryLog() },
  });
  onTestFinished(async () => {
    await served.stop();
    kong.close();
  });
  await served.dispatcher.createHook({ source: 'marker-of-a-hook', handler: 'log' });
  return { port: Number(new URL(served.admin ?? '').port), passedOn };
}

/** Sends bytes; everything that comes back until the other end closes or is silent. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const end = (): void => {
      socket.destroy();
      resolve(text);
    };
    whenQuiet(socket, 400, end);
    socket.on('error', end).on('close', end);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1'))).write(bytes, 'latin1');
  });
}

const paths = [
  '/event-hooks',
  '/event-hooks/',
  '//event-hooks',
  '/./event-hooks',
  '/x/../event-hooks',
  '/%65vent-hooks',
  '/event%2Dhooks',
  '/event-hooks%2f',
  '/event-hooks%00',
  '/EVENT-HOOKS',
  '/default/event-hooks',
  '/default/%65vent-hooks',
  '/%2e/event-hooks',
  '/event-hooks;a=b',
  '/event-hooks?token=correct-horse',
  '/event-hooks#x',
  '/event-hooks/status',
  '/event-hooks/tail',
  '/event-hooks/metrics',
  '/event-hooks/openapi.json',
  '/event-hooks/sources',
  '/a/event-hooks/status',
  'http://127.0.0.1/event-hooks',
];
const heads = [
  '',
  'Kong-Admin-Token:\r\n',
  'Kong-Admin-Token: correct-hors\r\n',
  'Kong-Admin-Token: correct-horsf\r\n',
  'Kong-Admin-Token: CORRECT-HORSE\r\n',
  'Kong-Admin-Token: correct-horse-\r\n',
  'Kong-Admin-Token: "correct-horse"\r\n',
  'Kong-Admin-Token: Bearer correct-horse\r\n',
  'Kong-Admin-Token: x\r\nKong-Admin-Token: correct-horse\r\n',
  'Kong-Admin-Token: correct-horse\r\nKong-Admin-Token: x\r\n',
  'Kong_Admin_Token: correct-horse\r\n',
  'X-Kong-Admin-Token: correct-horse\r\n',
  'Authorization: Bearer correct-horse\r\n',
  'Authorization: Basic Y29ycmVjdC1ob3JzZTo=\r\n',
  'Cookie: kong-admin-token=correct-horse\r\n',
  'X-Original-URL: /event-hooks\r\nX-Rewrite-URL: /event-hooks\r\n',
  'X-HTTP-Method-Override: OPTIONS\r\n',
  'X-Forwarded-For: 127.0.0.1\r\n',
  'Kong-Admin-Token: undefined\r\n',
  'Kong-Admin-Token: null\r\n',
];

describe('the token of the Admin API', () => {
  it.each([
    ['alone', false],
    ['in front of Kong', true],
  ])(
    'is asked for whatever path and head are tried: %s',
    async (_name, front) => {
      const { port } = await start(front);
      const through: string[] = [];
      const tries = paths.flatMap((path, at) => [
        ['GET', path, heads[at % heads.length] ?? ''],
        ...['HEAD', 'OPTIONS', 'DELETE', 'PUT'].map((method) => [method, path, '']),
      ]);
      tries.push(...heads.map((head) => ['GET', '/event-hooks', head]));
      await Promise.all(
        tries.map(async ([method = '', path = '', head = '']) => {
          const answer = await raw(
            port,
            `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${head}\r\n`,
          );
          if (/^HTTP\/1\.1 2/.test(answer) || answer.includes('marker-of-a-hook'))
            through.push(`${method} ${path} ${head}`);
        }),
      );
      expect(through).toEqual([]);
    },
    30_000,
  );

  it('is taken in any case of the header, and only as it is', async () => {
    const { port } = await start(true);
    for (const name of ['Kong-Admin-Token', 'kong-admin-token', 'KONG-ADMIN-TOKEN'])
      expect(
        await raw(
          port,
          `GET /event-hooks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: ${token}\r\n\r\n`,
        ),
      ).toMatch(/^HTTP\/1\.1 200 [^]*marker-of-a-hook/);
  });

  it('is not found by any other text', async () => {
    const { port } = await start(false);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), async (text) => {
        fc.pre(text.trim() !== token);
        const code = await new Promise<number | undefined>((resolve, reject) => {
          httpRequest(
            { host: '127.0.0.1', port, path: '/event-hooks', headers: { 'kong-admin-token': text } },
            (answer) => {
              resolve(answer.resume().statusCode);
            },
          )
            .on('error', reject)
            .end();
        });
        expect(code).toBe(401);
      }),
      bounds(60),
    );
  });

  it('of event hooks is not a path of Kong: nothing of ours is passed on without it', async () => {
    const { port, passedOn } = await start(true);
    for (const path of ['/event-hooks', '/default/event-hooks', '/event-hooks/status'])
      await raw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(passedOn).toEqual([]);
  });
});

describe('the token of gRPC', () => {
  it('is asked for by every call, and taken as it is only', async () => {
    const b = await bench();
    const handle = await serveGrpc(b.dispatcher, {
      address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      token,
    });
    onTestFinished(() => handle.close());
    const client = new Client(grpcTarget(handle.address), credentials.createInsecure());
    onTestFinished(() => {
      client.close();
    });
    const { path, requestSerialize, responseDeserialize } = eventHooksService().listSources;
    const call = (values: string[]): Promise<number> =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        for (const value of values) metadata.add('authorization', value);
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, metadata, (error) => {
          resolve(error?.code ?? status.OK);
        });
      });
    const wrong = [
      [],
      [''],
      [token],
      [`bearer ${token}`],
      [`Bearer  ${token}`],
      [`Bearer ${token}x`],
      [`Bearer ${token.slice(1)}`],
      [`Basic ${token}`],
      ['Bearer undefined'],
    ];
    for (const values of wrong)
      expect([values, await call(values)]).toEqual([values, status.UNAUTHENTICATED]);
    expect(await call([`Bearer ${token}`])).toBe(status.OK);
  });
});
