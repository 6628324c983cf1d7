import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Client, buildConnector } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { passingOverInformational } from '../../../../src/http/client/index.ts';

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers each request with a text; says how many came. */
async function peer(text: string, again?: string): Promise<{ client: Client; requests: () => number }> {
  let requests = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const timers: NodeJS.Timeout[] = [];
    socket.on('close', () => {
      for (const timer of timers) clearInterval(timer);
    });
    socket.on('data', (bytes) => {
      requests += bytes.toString().split('POST /').length - 1;
      socket.write(text);
      if (again !== undefined) timers.push(setInterval(() => socket.write(again), 5));
    });
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new Client(`http://127.0.0.1:${String(port)}`, {
    connect: passingOverInformational(buildConnector({})),
    headersTimeout: 300,
  });
  onTestFinished(() => client.destroy());
  return { client, requests: () => requests };
}

it.each([
  ['100 Continue', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['102 Processing', 'HTTP/1.1 102 Processing\r\n\r\n'],
  ['103 with links', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n'],
  ['100 with a length', 'HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n'],
  ['103 in chunks', 'HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['100 that closes', 'HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n'],
  ['100 of HTTP/1.0', 'HTTP/1.0 100 Continue\r\n\r\n'],
  ['100 with a Keep-Alive', 'HTTP/1.1 100 Continue\r\nKeep-Alive: timeout=1, max=1\r\n\r\n'],
  ['199', 'HTTP/1.1 199 \r\n\r\n'],
])(
  'an informational answer is passed over, and its connection is used on: %s',
  async (_what, informational) => {
    const { client, requests } = await peer(informational.repeat(3) + answer);
    let connections = 0;
    client.on('connect', () => (connections += 1));
    for (let at = 0; at < 3; at += 1) {
      const { statusCode, body } = await client.request({ method: 'POST', path: '/', body: 'x' });
      expect([statusCode, await body.text()]).toEqual([200, 'ok']);
    }
    expect([requests(), connections]).toEqual([3, 1]);
  },
);

it('informational answers without an end do not lengthen the time for the answer', async () => {
  const { client } = await peer('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
  await expect(client.request({ method: 'POST', path: '/' })).rejects.toMatchObject({
    code: 'UND_ERR_HEADERS_TIMEOUT',
  });
});

it('an upgrade that nobody asked for is not an informational answer', async () => {
  const { client } = await peer(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  );
  await expect(client.request({ method: 'POST', path: '/' })).rejects.toThrow('bad upgrade');
});
