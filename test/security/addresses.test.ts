import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpTarget } from '../../src/event-hooks/delivery/http-target.ts';
import { TargetGuard } from '../../src/event-hooks/delivery/target-guard.ts';
import { containing, matching } from '../event-hooks/support/expected.ts';
import { bench, tempDir } from '../event-hooks/support/setup.ts';
import { bounds } from './support/rounds.ts';

/** Somebody on this machine whom no delivery may reach. */
let port = 0;
let hits = 0;
const server = createServer((socket) => {
  hits += 1;
  socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ninside');
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());

const hex = (value: number, digits = 1): string => value.toString(16).padStart(digits, '0');
const number = (ip: readonly number[]): number => ip.reduce((sum, byte) => sum * 256 + byte, 0);
const group = (a = 0, b = 0): string => hex(a * 256 + b);
const wide = (text: string): string =>
  text.replace(/[0-9.]/g, (one) => (one === '.' ? '\u3002' : String.fromCodePoint(0xff10 + Number(one))));
const circled = (text: string): string =>
  text.replace(/[1-9]/g, (one) => String.fromCodePoint(0x2460 + Number(one) - 1));

/** Ways to write an IPv4 address as the host of a URL. */
const forms: ((ip: readonly number[]) => string)[] = [
  (ip) => ip.join('.'),
  (ip) => `${ip.join('.')}.`,
  (ip) => String(number(ip)),
  (ip) => `0x${hex(number(ip))}`,
  (ip) => `0${number(ip).toString(8)}`,
  (ip) => ip.map((byte) => `0x${hex(byte)}`).join('.'),
  (ip) => ip.map((byte) => `0X${hex(byte, 4)}`).join('.'),
  (ip) => ip.map((byte) => `0${byte.toString(8)}`).join('.'),
  (ip) => ip.map((byte) => `000000${byte.toString(8)}`).join('.'),
  ([a = 0, b = 0, c = 0, d = 0]) => `${String(a)}.${String(b)}.${String(c * 256 + d)}`,
  ([a = 0, b = 0, c = 0, d = 0]) => `${String(a)}.${String((b * 256 + c) * 256 + d)}`,
  ([a = 0, b = 0, c = 0, d = 0]) => `0x${hex(a)}.0${b.toString(8)}.${String(c)}.0x${hex(d)}`,
  (ip) => wide(ip.join('.')),
  (ip) => circled(ip.join('.')),
  (ip) => ip.join('%2e'),
  (ip) => ip.map((byte) => [...String(byte)].map((digit) => `%3${digit}`).join('')).join('.'),
  (ip) => ip.join('\uff0e'),
  (ip) => ip.join('.\t'),
  ([a, b, c, d]) => `[::ffff:${group(a, b)}:${group(c, d)}]`,
  (ip) => `[::ffff:${ip.join('.')}]`,
  (ip) => `[0:0:0:0:0:FFFF:${ip.join('.')}]`,
  (ip) => `[0000:0000:0000:0000:0000:ffff:${ip.join('.')}]`,
  (ip) => `[::${ip.join('.')}]`,
  (ip) => `[::ffff:0:${ip.join('.')}]`,
  (ip) => `[64:ff9b::${ip.join('.')}]`,
  (ip) => `[64:ff9b:1::${ip.join('.')}]`,
  ([a, b, c, d]) => `[2002:${group(a, b)}:${group(c, d)}::1]`,
  ([a = 0, b = 0, c = 0, d = 0]) =>
    `[2001:0:4136:e378:8000:63bf:${group(a ^ 255, b ^ 255)}:${group(c ^ 255, d ^ 255)}]`,
  ([a, b, c, d]) => `[2001::${group(a, b)}:${group(c, d)}]`,
  ([a, b, c, d]) => `[fe80::5efe:${group(a, b)}:${group(c, d)}]`,
  ([a, b, c, d]) => `[fe80::${group(a, b)}:${group(c, d)}%25eth0]`,
  (ip) => `[::ffff:${ip.join('.')}%25lo]`,
  (ip) => `user:word@${ip.join('.')}`,
  (ip) => `example.com@${ip.join('.')}`,
  (ip) => `example.com%40${ip.join('.')}`,
  (ip) => `example.com:80@${ip.join('.')}`,
];
/** Addresses that no default lets through. */
const inside: readonly (readonly number[])[] = [
  [127, 0, 0, 1],
  [127, 8, 9, 10],
  [0, 0, 0, 0],
  [10, 1, 2, 3],
  [172, 16, 0, 1],
  [172, 31, 255, 254],
  [192, 168, 1, 1],
  [169, 254, 169, 254],
  [169, 254, 170, 2],
  [100, 64, 0, 1],
  [100, 100, 100, 200],
  [168, 63, 129, 16],
  [192, 0, 0, 192],
  [198, 18, 0, 1],
  [224, 0, 0, 1],
  [240, 0, 0, 1],
  [255, 255, 255, 255],
];
/** Names and addresses that are not a form of an IPv4 address. */
const others = [
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fd20:ce::254]',
  '[fe80::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[100::1]',
  '[2001:db8::1]',
  '[::ffff:7f00:1]',
  '[::7f00:1]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'l\u2462calhost',
  'xn--',
];

/** The host as a URL parser leaves it; null where there is no such URL. */
function hostOf(written: string): string | null {
  try {
    return new URL(`http://${written}:${String(port)}/`).hostname;
  } catch {
    return null;
  }
}

/** A resolver that says nothing but what stands in /etc/hosts of any machine. */
const resolve = async (name: string): Promise<string[]> =>
  /^localhost\.?$/i.test(name) ? ['127.0.0.1', '::1'] : [];

const targetOf = (written: string, guard: TargetGuard): HttpTarget =>
  new HttpTarget(new URL(`http://${written}:${String(port)}/`).origin, {
    guard,
    sslVerify: true,
    timeoutMs: 2000,
    maxResponseBytes: 1000,
    keepResponseBytes: 100,
    pipelining: 1,
  });

const send = (target: HttpTarget) => target.send({ method: 'GET', path: '/', headers: [], body: null });

describe('addresses', () => {
  it(`of ${String(inside.length)} machines inside are refused in ${String(forms.length)} forms each`, async () => {
    const guard = new TargetGuard({ resolve });
    const passed: string[] = [];
    for (const ip of inside)
      for (const form of forms) {
        const host = hostOf(form(ip));
        if (host === null) continue;
        await guard.addresses(host).then(
          (found) => passed.push(`${form(ip)}: ${found.join()}`),
          () => undefined,
        );
      }
    expect(passed).toEqual([]);
  });

  it('inside are refused whatever their bytes and form are', async () => {
    const guard = new TargetGuard({ resolve });
    const byte = fc.nat(255);
    const anywhere = fc.oneof(
      fc.tuple(fc.constant(127), byte, byte, byte),
      fc.tuple(fc.constant(10), byte, byte, byte),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
      fc.tuple(fc.integer({ min: 224, max: 255 }), byte, byte, byte),
    );
    await fc.assert(
      fc.asyncProperty(anywhere, fc.constantFrom(...forms), async (ip, form) => {
        const host = hostOf(form(ip));
        if (host !== null) await expect(guard.addresses(host)).rejects.toThrow(/refused/);
      }),
      bounds(300),
    );
  });

  it('of this machine are never connected to, in any form', async () => {
    const guard = new TargetGuard({ resolve });
    const tried = [
      ...forms.map((form) => form([127, 0, 0, 1])),
      ...forms.map((form) => form([0, 0, 0, 0])),
      ...others,
    ].filter((written) => hostOf(written) !== null);
    expect(tried.length).toBeGreaterThan(50);
    for (const written of tried) {
      const target = targetOf(written, guard);
      const { status, error } = await send(target);
      expect([written, status, error]).toEqual([written, null, matching(/refused|no address/)]);
      await target.destroy();
    }
    expect(hits).toBe(0);
  });

  it('of a name that is allowed first and inside afterwards are looked at for every connection', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1'], ['169.254.169.254'], ['::ffff:10.0.0.1', 'fe80::1']];
    let asked = 0;
    const guard = new TargetGuard({ allowLoopback: true, resolve: async () => answers[asked++] ?? [] });
    const target = targetOf('rebinding.example', guard);
    const before = hits;
    expect(await send(target)).toMatchObject({ status: 200, body: 'inside' });
    for (const _ of answers.slice(1)) expect((await send(target)).error).toMatch(/refused/);
    await target.destroy();
    expect([asked, hits - before]).toEqual([answers.length, 1]);
    hits = before;
  });

  it('of a name with several are those that were checked, and it is asked for once', async () => {
    let asked = 0;
    const several = ['127.0.0.1', '9.9.9.9', '10.0.0.1', '169.254.169.254', '2620:fe::fe', '::1'];
    const guard = new TargetGuard({ resolve: async () => ((asked += 1), several) });
    expect(await guard.addresses('mixed.example')).toEqual(['9.9.9.9', '2620:fe::fe']);
    expect(asked).toBe(1);
  });

  it('that a resolver makes up are not addresses', async () => {
    for (const odd of [
      '',
      'localhost',
      '127.1',
      '2130706433',
      '0x7f.1',
      '127.0.0.1:80',
      '::1%lo',
      '[::1]',
      '1.2.3.4.5',
    ])
      await expect(new TargetGuard({ resolve: async () => [odd] }).addresses('odd.example')).rejects.toThrow(
        /refused/,
      );
  });

  it('of metadata services stay refused where private networks and loopback are allowed', async () => {
    const guard = new TargetGuard({ resolve, allowLoopback: true, allowPrivate: true });
    for (const ip of [
      [169, 254, 169, 254],
      [100, 100, 100, 200],
      [168, 63, 129, 16],
      [192, 0, 0, 192],
    ])
      for (const form of forms) {
        const host = hostOf(form(ip));
        if (host !== null) await expect(guard.addresses(host), form(ip)).rejects.toThrow();
      }
  });

  it('that a target redirects to are not followed', async () => {
    const b = await bench({ retrySchedule: [] });
    const before = hits;
    b.receiver.answer = (_request, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${String(port)}/` }).end();
    const hook = await b.hook({ source: 's', handler: 'webhook', config: { url: b.receiver.url('/r') } });
    for (const status of [301, 302, 303, 307, 308]) {
      b.receiver.answer = (_request, response) =>
        response
          .writeHead(status, { location: `http://127.0.0.1:${String(port)}/`, refresh: '0; url=/' })
          .end();
      const { body } = await b.api('POST', `/event-hooks/${hook.id}/test`, {});
      expect(body).toMatchObject({ result: { status } });
    }
    await b.settled();
    expect(hits).toBe(before);
  });

  const loopbackForms = [
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '[::ffff:127.0.0.1]',
    '127.1',
    'a:b@127.0.0.1',
  ];
  const hookOf = (form: string) => ({
    source: 's',
    handler: 'webhook',
    config: { url: `http://${form}:${String(port)}/` },
  });

  it('in the URL of a hook without leave are refused when it is saved', async () => {
    const b = await bench({ allowLoopback: false, retrySchedule: [] });
    for (const form of loopbackForms) {
      const { status, body } = await b.api('POST', '/event-hooks', hookOf(form));
      expect([form, status, body]).toEqual([
        form,
        400,
        expect.objectContaining({ message: containing('is a loopback address') }),
      ]);
    }
    expect(b.dispatcher.hooks.list()).toEqual([]);
  });

  it('in the URL of a hook that was saved with leave fail its deliveries without, and nothing arrives', async () => {
    const dataDir = tempDir();
    const before = await bench({ allowLoopback: true, dataDir });
    for (const form of loopbackForms) await before.hook(hookOf(form));
    await before.settled();
    await before.dispatcher.stop(500);
    const arrived = hits;
    const b = await bench({ allowLoopback: false, retrySchedule: [], dataDir });
    expect(b.dispatcher.hooks.list()).toHaveLength(loopbackForms.length);
    b.hub.emit('s', 'e', {});
    await b.settled();
    for (const hook of b.dispatcher.hooks.list()) {
      const { body } = await b.api<{ data: { event: string; state: string; error: string }[] }>(
        'GET',
        `/event-hooks/${hook.id}/deliveries`,
      );
      const own = body.data.filter(({ event }) => event === 'e');
      expect(own).toEqual([expect.objectContaining({ state: 'dead', error: containing('refused') })]);
    }
    expect(hits).toBe(arrived);
  });
});
