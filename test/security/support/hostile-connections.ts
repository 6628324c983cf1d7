import { connect } from 'node:net';
import fc from 'fast-check';
import { whenQuiet } from '../../support/quiet-socket.ts';

/** What somebody sends on one connection: requests in pieces, made of the same few parts. */
export interface Piece {
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
export const connection = fc.array(piece, { minLength: 1, maxLength: 4 });

/** The bytes of a connection; `id` stands in every target that it may reach. */
export function bytesOf(pieces: readonly Piece[], id: string, prefix = ''): string {
  const here = (text: string): string => text.replaceAll('/ID/', `${prefix}/${id}/`);
  return pieces
    .map((one) => {
      const content = here(one.body);
      const headers = one.headers.map((line) =>
        line
          .replace(/\bN\b|(?<=0|x)N/g, String(content.length))
          .replace(/\bM\b/, String(Math.max(0, content.length - 1))),
      );
      const head = [`${one.method} ${here(one.target)} ${one.version}`, 'Host: localhost', ...headers];
      return `${head.join(one.end)}${one.end}${one.end}${content}`;
    })
    .join('');
}

/** What a connection sends, and where its bytes are cut into segments. */
export interface Sent {
  readonly pieces: readonly Piece[];
  readonly cuts: readonly number[];
}

/** Two requests and more in one segment, or one request in many. */
export const sent: fc.Arbitrary<Sent> = fc.record({
  pieces: connection,
  cuts: fc.oneof(fc.constant([]), fc.array(fc.nat(120), { maxLength: 8 })),
});

/** Sends bytes in segments; what came back until the other end closed, or said nothing for a while. */
export async function exchange(port: number, bytes: string, cuts: readonly number[]): Promise<string> {
  let text = '';
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  socket.on('error', () => undefined).on('data', (part) => (text += part.toString('latin1')));
  let at = 0;
  for (const cut of cuts) {
    socket.write(bytes.slice(at, at + cut), 'latin1');
    at += cut;
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.write(bytes.slice(at), 'latin1');
  whenQuiet(socket, 200, () => socket.destroy());
  return ended;
}
