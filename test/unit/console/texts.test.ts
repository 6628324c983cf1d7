import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { curlOf, shellWord } from '../../../src/console/text/curl.ts';
import { ExactNumber, parseJson, writeJson } from '../../../src/console/text/exact-json.ts';
import { compact, latency, moment, relative, span } from '../../../src/console/text/format.ts';
import { fillHours, roundTop } from '../../../src/console/text/hours.ts';
import { visible } from '../../../src/console/text/visible.ts';

describe('JSON in the console', () => {
  it('keeps the digits of numbers that a double does not hold', () => {
    const text = '{"big":12345678901234567890,"small":0.1,"list":[1e400,-98765432109876543]}';
    expect(parseJson(text)).toMatchObject({ big: new ExactNumber('12345678901234567890'), small: 0.1 });
    expect(writeJson(parseJson(text), null)).toBe(text);
  });

  it('writes what JSON.stringify writes, in one line and in many', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(JSON.parse(writeJson(plain))).toEqual(plain);
        expect(writeJson(plain, null)).toBe(JSON.stringify(plain));
        expect(writeJson(plain)).toBe(JSON.stringify(plain, null, 2));
      }),
    );
  });
});

describe('text of strangers', () => {
  it('shows characters that turn the direction, have no width or control a terminal', () => {
    expect(visible('user\u202Egnp.exe')).toBe('user\\u202egnp.exe');
    expect(visible('a\u200B\u2066b\u0000\u001B[2J\u{E0001}')).toBe(
      'a\\u200b\\u2066b\\u0000\\u001b[2J\\u{e0001}',
    );
    expect(visible('\uD800')).toBe('\\ud800');
  });
  it('leaves lines, tabs, scripts and emoji as they are', () => {
    for (const text of ['a\n\tb', 'مرحبا', 'नमस्ते', '👩‍👩‍👧', 'ﬀ é']) expect(visible(text)).toBe(text);
  });
});

describe('a curl command', () => {
  it('stands for exactly its words, whatever they hold', () => {
    expect(shellWord("it's")).toBe("'it'\\''s'");
    expect(shellWord('$(id) `id` "x"')).toBe('\'$(id) `id` "x"\'');
    expect(shellWord('')).toBe("''");
  });
  it('leaves out what curl adds by itself, and sends a body that begins with @ as it is', () => {
    const headers = { host: 'x', 'content-length': '3', 'x-a': '1' };
    expect(curlOf({ method: 'POST', url: 'http://127.0.0.1/?a=1&b', headers }, '@b')).toBe(
      "curl -X POST 'http://127.0.0.1/?a=1&b' \\\n  -H 'x-a: 1' \\\n  --data-raw @b",
    );
  });
});

describe('a curl command that curl would read otherwise', () => {
  it('takes brackets of a URL for what they are, and sends a header without a value', () => {
    const url = 'http://127.0.0.1/?a[1-3]={x,y}';
    expect(curlOf({ method: 'GET', url, headers: { 'x-a': '' } }, null)).toBe(
      "curl --globoff -X GET 'http://127.0.0.1/?a[1-3]={x,y}' \\\n  -H 'x-a;'",
    );
  });
});

describe('numbers and times', () => {
  it('are written in units that fit', () => {
    expect([0, 0.42, 12.4, 1234, 65_000].map(latency)).toEqual([
      '0 ms',
      '0.4 ms',
      '12 ms',
      '1.23 s',
      '65.0 s',
    ]);
    expect(latency(null)).toBe('–');
    expect([999, 9999, 12_345, 1_200_000].map(compact)).toEqual(['999', '9,999', '12.3K', '1.2M']);
    expect([500, 61_000, 7_200_000, 90_000_000].map(span)).toEqual(['less than 1 s', '1 min', '2 h', '1 d']);
    expect([NaN, Number.MAX_SAFE_INTEGER].map(moment)).toEqual(['–', '–']);
    expect(relative(1000, 61_000)).toBe('1 min ago');
    expect(relative(61_000, 1000)).toBe('in 1 min');
  });
});

describe('hours of a hook', () => {
  const frame = { from: 3600 * 10, to: 3600 * 13 + 100, hour_seconds: 3600, counted_since: null };
  const hour = { at: 3600 * 11, delivered: 3, failed: 1, p50_ms: 1, p95_ms: 2 };
  it('are all there, those without an attempt as zeros', () => {
    const filled = fillHours(frame, [hour]);
    expect(filled.map(({ at }) => at / 3_600_000)).toEqual([10, 11, 12, 13]);
    expect(filled.map(({ delivered }) => delivered)).toEqual([0, 3, 0, 0]);
    expect(filled.every(({ isKnown }) => isKnown)).toBe(true);
  });
  it('are not known before the counting began', () => {
    const filled = fillHours({ ...frame, counted_since: 3600 * 12 + 5 }, []);
    expect(filled.map(({ isKnown }) => isKnown)).toEqual([false, false, true, true]);
  });
  it('have an axis with a round top', () => {
    expect([0, 1, 3, 12, 24, 26, 999].map(roundTop)).toEqual([1, 1, 5, 20, 25, 50, 1000]);
  });
});
