import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAdmin } from '../../src/event-hooks/admin/server.ts';
import { createDispatcher } from '../../src/event-hooks/dispatcher/dispatcher.ts';
import { createFront } from '../../src/kong-watch/front/front.ts';
import { memoryLog } from '../event-hooks/support/setup.ts';

/** The hooks' Admin API on loopback without a token, alone or in front of a Kong that is not there. */
async function start(inFront: boolean): Promise<number> {
  const dispatcher = await createDispatcher({ log: memoryLog() });
  const watch = { lookNow: () => undefined, isCollection: () => false };
  const front = inFront ? createFront('http://127.0.0.1:1', watch) : null;
  const admin = createAdmin(dispatcher, { front, callers: { loopback: true, names: [] } });
  onTestFinished(async () => {
    await admin.close();
    front?.close();
    await dispatcher.stop(0);
  });
  return Number(new URL(await admin.listen({ host: '127.0.0.1', port: 0 })).port);
}

/** The status that lines of a head get. */
function ask(port: number, first: string, lines: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).on('data', (bytes) => (text += bytes.toString('latin1')));
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)));
    const body = 'source=s&handler=log';
    const length = first.startsWith('POST') ? [`Content-Length: ${String(body.length)}`] : [];
    const form = 'Content-Type: application/x-www-form-urlencoded';
    const head = [first, ...lines, form, ...length, 'Connection: close', '', ''].join('\r\n');
    socket.write(`${head}${length.length > 0 ? body : ''}`);
  });
}

const host = 'Host: localhost';
/** What a page, or a name that is pointed at this machine, makes a browser send. */
const foreign: [what: string, lines: string[]][] = [
  ['an Origin twice, its own first', [host, 'Origin: http://localhost', 'Origin: http://evil.example']],
  ['an Origin twice, its own last', [host, 'Origin: http://evil.example', 'Origin: http://localhost']],
  ['an Origin that is empty', [host, 'Origin:']],
  ['an Origin of an opaque page', [host, 'Origin: null']],
  ['an Origin with its own name as user', [host, 'Origin: http://localhost@evil.example']],
  ['an Origin that begins with its name', [host, 'Origin: http://localhost.evil.example']],
  ['an Origin that ends with it', [host, 'Origin: http://evil-localhost']],
  ['its own name, another port', [host, 'Origin: http://localhost:9']],
  ['an extension', [host, 'Origin: chrome-extension://abcdefgh']],
  ['a file', [host, 'Origin: file://']],
  ['a list of origins', [host, 'Origin: http://localhost http://evil.example']],
  ['a page of the same site', [host, 'Sec-Fetch-Site: same-site']],
  ['a page, said twice', [host, 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site']],
  ['a page, in capitals', [host, 'Sec-Fetch-Site: CROSS-SITE']],
  ['what says nothing', [host, 'Sec-Fetch-Site:']],
  [
    'a page that is same-origin by its Origin only',
    [host, 'Origin: http://localhost', 'Sec-Fetch-Site: cross-site'],
  ],
  ['a WebSocket', [host, 'Origin: http://evil.example', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']],
  ['a page that an older browser names in Referer', [host, 'Referer: http://evil.example/page']],
  ['a page whose Referer begins with its name', [host, 'Referer: http://localhost.evil.example/']],
  ['a page on another port', [host, 'Referer: http://localhost:9/']],
  ['a Referer with its own name as user', [host, 'Referer: http://localhost@evil.example/']],
  ['a Referer that is not a URL', [host, 'Referer: about:client']],
  ['a name with a point at its end', ['Host: evil.example.']],
  ['a name that holds an address', ['Host: 127.0.0.1.nip.io']],
  ['a name that ends as an address', ['Host: evil.127.0.0.1']],
  ['an address as one number', ['Host: 2130706433']],
  ['an address in short', ['Host: 127.1']],
  ['an address in hexadecimal', ['Host: 0x7f.evil.example']],
  ['a user', ['Host: localhost@evil.example']],
  ['a port that is none', ['Host: evil.example:localhost']],
  ['brackets around a name', ['Host: [evil.example]']],
  ['a list', ['Host: localhost, evil.example']],
  ['a name in another alphabet', ['Host: l\u00f6calhost']],
];

describe.each([
  ['alone', false],
  ['in front of Kong', true],
])('event hooks %s', (_where, inFront) => {
  it('refuse what a page or a foreign name may have sent, whatever the path and the method', async () => {
    const port = await start(inFront);
    const requests = [
      'POST /event-hooks HTTP/1.1',
      'GET /event-hooks HTTP/1.1',
      'POST /services HTTP/1.1',
      'OPTIONS /event-hooks HTTP/1.1',
      'HEAD /event-hooks HTTP/1.1',
      // A GET that sends something.
      'GET /event-hooks/1b671a64-40d5-491e-99b0-da01ff1f3341/ping HTTP/1.1',
    ];
    const seen = await Promise.all(
      foreign.flatMap(([what, lines]) =>
        requests.map(async (first) => [what, first, await ask(port, first, lines)] as const),
      ),
    );
    expect(seen.filter(([, , status]) => status !== 403 && status !== 400)).toEqual([]);
    // Whoever is none of that passes.
    for (const lines of [
      [host],
      ['Host: 127.0.0.1:8001'],
      ['Host: [::1]'],
      ['Host: [fe80::1%25lo]'],
      [host, 'Sec-Fetch-Site: same-origin', 'Kong-Ts-Console: 1'],
      [host, 'Origin: http://localhost', 'Kong-Ts-Console: 1'],
      [host, 'Referer: http://localhost/event-hooks'],
    ])
      expect(await ask(port, 'POST /event-hooks HTTP/1.1', lines), lines.join()).toBe(201);
    // A page of this listener says that it means it.
    for (const own of ['Sec-Fetch-Site: same-origin', 'Origin: http://localhost'])
      expect(await ask(port, 'POST /event-hooks HTTP/1.1', [host, own])).toBe(403);
    expect(await ask(port, 'GET /event-hooks HTTP/1.1', [host, 'Sec-Fetch-Site: none'])).toBe(200);
    expect(await ask(port, 'POST /event-hooks HTTP/1.1', [host, 'Sec-Fetch-Site: none'])).toBe(403);
  });
});
