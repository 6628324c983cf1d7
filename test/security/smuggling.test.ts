import { connect, createServer, type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { createAdmin } from '../../src/event-hooks/admin/server.ts';
import { createDispatcher } from '../../src/event-hooks/dispatcher/index.ts';
import { createFront } from '../../src/kong-watch/front/front.ts';
import { memoryLog } from '../event-hooks/support/setup.ts';
import { whenQuiet } from '../support/quiet-socket.ts';
import { bounds } from './support/rounds.ts';
import { headLeft, strictly, type Read } from './support/strict-reader.ts';

/** What somebody sends on one connection: requests in pieces, made of the same few parts. */
interface Piece {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly string[];
  readonly end: string;
  readonly body: string;
}

const often = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  );
const inner = 'GET /ID/inner HTTP/1.1\r\nHost: localhost\r\n\r\n';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** Lengths: of the body (N), one less (M), of everything else there is. */
const framing = fc.constantFrom(
  ...[
    'Content-Length: N',
    'content-length: N',
    'Content-Length: M',
    'Content-Length: 0',
    'Content-Length: 00N',
  ],
  ...[
    'Content-Length: +N',
    'Content-Length: -1',
    'Content-Length: 0xN',
    'Content-Length: N, N',
    'Content-Length: N ',
  ],
  ...[
    'Content-Length : N',
    ' Content-Length: N',
    'Content-Length\u0000: N',
    'Content_Length: N',
    'Content-Length: 1e1',
  ],
  ...[
    'Content-Length:',
    'Content-Length: 18446744073709551616',
    'X: a\n\tContent-Length: N',
    'X: a\rContent-Length: N',
  ],
  ...[
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: CHUNKED',
    'transfer-encoding:chunked',
    'Transfer-Encoding : chunked',
  ],
  ...['Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity', 'Transfer-Encoding: xchunked'],
  ...['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding:\u000bchunked', 'Transfer-Encoding: "chunked"'],
  ...[
    'Transfer-Encoding: chunked;q=1',
    'Transfer-Encoding:',
    'X: a\nTransfer-Encoding: chunked',
    'Transfer_Encoding: chunked',
  ],
  ...[
    'X: a\r\n Transfer-Encoding: chunked',
    'Connection: content-length',
    'Connection: close, Transfer-Encoding',
  ],
  ...[
    'Connection: keep-alive',
    'Expect: 100-continue',
    'Upgrade: h2c',
    'Trailer: Content-Length',
    'Host: other',
  ],
);
const body = fc.constantFrom(
  ...[
    '',
    'x'.repeat(9),
    inner,
    `0\r\n\r\n${inner}`,
    `${chunk('hello')}0\r\n\r\n`,
    `${chunk(inner)}0\r\n\r\n`,
  ],
  ...[
    `5;a=b\r\nhello\r\n0\r\n\r\n`,
    '5 \r\nhello\r\n0\r\n\r\n',
    '0005\r\nhello\r\n0\r\n\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
  ],
  ...[
    '-1\r\nhello\r\n0\r\n\r\n',
    '5\nhello\n0\n\n',
    `5\r\nhello0\r\n\r\n${inner}`,
    `100000005\r\nhello\r\n0\r\n\r\n${inner}`,
  ],
  ...[
    `0\r\nContent-Length: 3\r\n\r\n${inner}`,
    `0\r\nX: y\r\n\r\n`,
    `5;\n${inner}\r\nhello\r\n0\r\n\r\n`,
    `00000000000000000\r\n\r\n${inner}`,
  ],
  ...[
    `5\r\rhello\r\n0\r\n\r\n`,
    `\r\n0\r\n\r\n${inner}`,
    `5\u0000\r\nhello\r\n0\r\n\r\n`,
    `${chunk('a')}0\r\n\r\n0\r\n\r\n`,
  ],
);
const piece: fc.Arbitrary<Piece> = fc.record({
  method: often('POST', 'GET', 'DELETE', 'PUT', 'HEAD', 'FOO', 'GE\tT', ' GET', 'get', '\r\nGET'),
  target: often(
    '/ID/a',
    '/ID/b?c=d',
    'http://localhost/ID/e',
    'http://evil.example/ID/f',
    '/ID/g HTTP/1.1',
    '/ID/\u0001',
    '/ID/%0d%0ah',
  ),
  version: often(
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/1.1 ',
    'HTTP/1.2',
    'HTTP/2.0',
    'HTTP/0.9',
    'http/1.1',
    'HTTP/1.10',
  ),
  headers: fc.array(framing, { maxLength: 3 }),
  end: often('\r\n', '\n', '\r\n', '\r\r\n'),
  body,
});
const connection = fc.array(piece, { minLength: 1, maxLength: 4 });

function bytesOf(pieces: readonly Piece[], id: string): string {
  return pieces
    .map((one) => {
      const content = one.body.replaceAll('ID', id);
      const headers = one.headers.map((line) =>
        line
          .replace(/\bN\b|(?<=0|x)N/g, String(content.length))
          .replace(/\bM\b/, String(Math.max(0, content.length - 1))),
      );
      const head = [
        `${one.method} ${one.target.replaceAll('ID', id)} ${one.version}`,
        'Host: localhost',
        ...headers,
      ];
      return `${head.join(one.end)}${one.end}${one.end}${content}`;
    })
    .join('');
}

/** Stands in for Kong, and answers each request as soon as it is there: it keeps the bytes of each connection. */
async function startKong(): Promise<{ port: number; connections: string[] }> {
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

async function startFront(kong: number): Promise<number> {
  const dispatcher = await createDispatcher({ log: memoryLog() });
  const front = createFront(`http://127.0.0.1:${String(kong)}`, {
    lookNow: () => undefined,
    isCollection: () => false,
  });
  const admin = createAdmin(dispatcher, { front });
  onTestFinished(async () => {
    await admin.close();
    front.close();
    await dispatcher.stop(0);
  });
  return Number(new URL(await admin.listen({ host: '127.0.0.1', port: 0 })).port);
}

function send(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).on('close', () => resolve(text));
    socket.on('data', (part) => (text += part.toString('latin1')));
    whenQuiet(socket, 200, () => socket.destroy());
    socket.write(bytes, 'latin1');
  });
}

it('of generated connections nothing reaches Kong but what a reader sees that takes no chances, in its order', async () => {
  const kong = await startKong();
  const port = await startFront(kong.port);
  let count = 0;
  let arrived = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(connection, { minLength: 25, maxLength: 40, size: 'max' }), async (all) => {
      const sent = all.map((pieces) => {
        const id = `k${String((count += 1))}`;
        return { id, bytes: bytesOf(pieces, id) };
      });
      await Promise.all(sent.map(({ bytes }) => send(port, bytes)));
      const seen = kong.connections.flatMap((bytes) => {
        // One that breaks off has one framing, too.
        expect(headLeft(bytes).match(/^(?:content-length|transfer-encoding):/gim) ?? []).toHaveLength(
          headLeft(bytes) === '' ? 0 : 1,
        );
        return strictly(bytes);
      });
      arrived = seen.length;
      for (const { id, bytes } of sent) {
        const mine = (one: Read): boolean => one.line.includes(`/${id}/`);
        const expected = strictly(bytes).filter(mine);
        const got = seen.filter(mine);
        expect(got, JSON.stringify(bytes)).toEqual(expected.slice(0, got.length));
      }
    }),
    { ...bounds(8), endOnFailure: true },
  );
  // Not all of them are refused.
  expect(arrived).toBeGreaterThan(count / 10);
});
