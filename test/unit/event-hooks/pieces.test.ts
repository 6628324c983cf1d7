import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TargetGuard } from '../../../src/event-hooks/delivery/target-guard.ts';
import { defaultSchedule, retryDelay } from '../../../src/event-hooks/delivery/retry.ts';
import { Gate, Rate, takeFrom } from '../../../src/event-hooks/delivery/gate.ts';
import { parseTemplate, render } from '../../../src/event-hooks/handlers/template.ts';
import { parseRetryAfter } from '../../../src/event-hooks/handlers/webhook.ts';
import { parseAddress } from '../../../src/event-hooks/grpc/address.ts';
import { EmitBuffer } from '../../../src/event-hooks/client/emit-buffer.ts';
import { newEventId } from '../../../src/event-hooks/model/event.ts';

describe('retry schedule', () => {
  it('is 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, within 10 %', () => {
    expect(defaultSchedule).toEqual([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    expect([0, 0.5, 1].map((chance) => retryDelay(1, defaultSchedule, chance, undefined))).toEqual([
      4500, 5000, 5500,
    ]);
    expect(retryDelay(10, defaultSchedule, 0, undefined)).toBeNull();
  });
  it('honours a longer Retry-After, up to a day', () => {
    expect(retryDelay(1, [5], 0.5, 60_000)).toBe(60_000);
    expect(retryDelay(1, [5], 0.5, 1)).toBe(5000);
    expect(retryDelay(1, [5], 0.5, 1e12)).toBe(86_400_000);
  });
  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 60_000],
    ['Thursday, 01-Jan-70 00:01:00 GMT', 60_000],
    ['Thu Jan  1 00:01:00 1970', 60_000],
    ['Wed, 31 Dec 1969 23:59:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['5.5', null],
    [undefined, null],
  ])('Retry-After: %s', (text, expected) => {
    expect(parseRetryAfter(text, 0)).toBe(expected);
  });
  it('of two rates, none gives what the other one has not', () => {
    const [fast, slow] = [new Rate(2, 0), new Rate(1, 0)];
    expect(takeFrom([fast, slow], 0)).toBe(0);
    expect(takeFrom([fast, slow], 0)).toBe(1000);
    expect(takeFrom([fast, null], 0)).toBe(0);
    expect(takeFrom([fast, null], 0)).toBe(500);
  });
  it('a clock that is set back takes nothing from a rate', () => {
    const rate = new Rate(1, 1_000_000);
    expect(rate.take(1_000_000)).toBe(0);
    expect(rate.take(0)).toBe(1000);
    expect(rate.take(1000)).toBe(0);
  });
  it('a free place is offered until somebody takes it', () => {
    const gate = new Gate(1);
    const woken: string[] = [];
    expect(gate.enter(() => undefined)).toBe(true);
    gate.enter(() => woken.push('closed'));
    gate.enter(() => {
      woken.push('open');
      gate.enter(() => undefined);
    });
    gate.enter(() => woken.push('too late'));
    gate.leave();
    expect(woken).toEqual(['closed', 'open']);
  });
  it('a rate lets through what it says over time', () => {
    const rate = new Rate(10, 0);
    let passed = 0;
    for (let now = 0; now <= 10_000; now += 10) if (rate.take(now) === 0) passed += 1;
    expect(passed).toBeGreaterThanOrEqual(108);
    expect(passed).toBeLessThanOrEqual(111);
  });
});

describe('target guard', () => {
  const strict = new TargetGuard();
  const open = new TargetGuard({ allowLoopback: true, allowPrivate: true });
  it.each([
    '127.0.0.1',
    '::1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    'fd12::1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
  ])('%s only where allowed', (address) => {
    expect(strict.refusal(address)).not.toBeNull();
    expect(open.refusal(address)).toBeNull();
  });
  it.each([
    '169.254.169.254',
    'fe80::1',
    '224.0.0.1',
    'ff02::1',
    '0.0.0.0',
    '::',
    '255.255.255.255',
    '240.0.0.1',
    '100.100.100.200',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
  ])('%s never', (address) => {
    expect(open.refusal(address)).not.toBeNull();
  });
  it.each(['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'])('%s always', (address) => {
    expect(strict.refusal(address)).toBeNull();
  });
});

describe('templates', () => {
  const fill = (source: string, data: unknown, escape: 'html' | 'json' | 'none' = 'html') =>
    render(parseTemplate(source), data, escape);
  it('insert, escape, index as Lua does, and leave missing values empty', () => {
    expect(
      fill('{{a.b}} {*a.b*} {{ l[1] }} {{h["x-y"]}} {{no.such}}.', {
        a: { b: '<&' },
        l: ['one', 'two'],
        h: { 'x-y': 1 },
      }),
    ).toBe('&lt;&amp; <& one 1 .');
    expect(fill('"{{ t }}"', { t: 'a"\n' }, 'json')).toBe('"a\\"\\n"');
  });
  it('see own values only', () => {
    expect(fill('{{ __proto__ }}{{ constructor.name }}{{ a.toString }}', { a: {} })).toBe('');
  });
  it.each(['{{ a', '{* a }}', '{{ a b }}', '{{ f() }}', '{{ 1+1 }}', '{{}}'])('refuse %s', (source) => {
    expect(() => parseTemplate(source)).toThrow(/invalid template, line 1/);
  });
  it('are bounded in size', () => {
    expect(() => fill('{{ a }}{{ a }}{{ a }}', { a: 'x'.repeat(500_000) })).toThrow(/larger than/);
  });
  it('text without braces is itself, and JSON escaping always parses', () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) => fc.pre(!/\{[{*]/.test(text)) === undefined && fill(text, {}) === text,
      ),
    );
    fc.assert(
      fc.property(fc.string(), (text) => JSON.parse(fill('"{{ t }}"', { t: text }, 'json')) === text),
    );
  });
});

describe('small things', () => {
  it('event ids are unique and sort by time', () => {
    const ids = Array.from({ length: 20_000 }, () => newEventId());
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    expect(ids[0]).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}8[0-9a-f]{15}$/);
  });
  it.each([
    ['unix:/a/b', { kind: 'unix', path: '/a/b' }],
    ['127.0.0.1:80', { kind: 'tcp', host: '127.0.0.1', port: 80 }],
    ['[::1]:80', { kind: 'tcp', host: '::1', port: 80 }],
  ])('address %s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });
  it.each(['', 'unix:relative', 'host', 'host:99999', ':80'])('no address: %s', (text) => {
    expect(() => parseAddress(text)).toThrow(/is not an address/);
  });
  it('the emit buffer keeps order and bounds, whatever comes back', () => {
    const stats = { sent: 0, acknowledged: 0, dropped: 0, buffered: 0 };
    const buffer = new EmitBuffer(4, 1000, stats);
    const event = (n: number) => ({ id: String(n), source: 's', event: 'e', data: '{}', at: 0 });
    buffer.add([1, 2, 3].map(event));
    const first = buffer.next();
    buffer.add([4, 5].map(event));
    expect(stats).toMatchObject({ buffered: 4, dropped: 1 });
    const second = buffer.next();
    // The first comes back after the second, and still goes first.
    buffer.putBack(second?.number ?? 0);
    buffer.putBack(first?.number ?? 0);
    const again = [buffer.next(), buffer.next()];
    expect(again.map((batch) => batch?.events.map((one) => one.id))).toEqual([['1', '2', '3'], ['4']]);
    buffer.acknowledge(first?.number ?? 0, 0);
    expect(stats.buffered).toBe(4);
    buffer.putBackAll();
    expect(buffer.next()?.events[0]?.id).toBe('1');
    const last = buffer.next();
    buffer.acknowledge(last?.number ?? 0, 1);
    expect(stats).toMatchObject({ acknowledged: 0, dropped: 2, buffered: 3 });
  });
});
