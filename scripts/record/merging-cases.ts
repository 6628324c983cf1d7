/** A request by its header lines (latin1), and the names that are asked for one by one. */
export interface MergingCase {
  readonly lines: readonly string[];
  readonly asked: readonly string[];
}

const host = 'Host: kong.test';
/** Headers `X-N0` to `X-N<count - 1>`. */
const many = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `X-N${String(at)}: v${String(at)}`);
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** With one header and many: `Connection: close` is sent with each, and counts. */
export const mergingCases: Readonly<Record<string, MergingCase>> = {
  repeated: {
    lines: [host, 'X-Multi: one', 'X-Multi: two', 'x-multi: three'],
    asked: ['x-multi', 'X-MULTI', 'x_multi'],
  },
  'one value with comma': { lines: [host, 'X-A: one, two'], asked: ['x-a'] },
  'repeated, first with comma': { lines: [host, 'X-A: one, two', 'X-A: three'], asked: ['x-a'] },
  'repeated, first empty': { lines: [host, 'X-A:', 'X-A: two'], asked: ['x-a'] },
  empty: { lines: [host, 'X-A:', 'X-B:   '], asked: ['x-a', 'x-b'] },
  missing: { lines: [host], asked: ['x-nowhere'] },
  'underscore sent': { lines: [host, 'X_Under: u', 'X-Under: d'], asked: ['x_under', 'x-under'] },
  'asked with underscore': { lines: [host, 'X-Dash: d'], asked: ['x_dash', 'X_DASH', 'x-dash'] },
  'spaces around': { lines: [host, 'X-A:   padded   '], asked: ['x-a'] },
  host: { lines: ['Host: Kong.Test:8000'], asked: ['host', 'Host'] },
  'two cookies': { lines: [host, 'Cookie: a=1', 'Cookie: b=2'], asked: ['cookie'] },
  'known once headers': {
    lines: [host, 'User-Agent: one', 'Authorization: Basic x', 'Content-Type: text/a'],
    asked: ['user-agent', 'authorization', 'content-type'],
  },
  'x-forwarded-for twice': {
    lines: [host, 'X-Forwarded-For: 192.0.2.1', 'X-Forwarded-For: 192.0.2.2'],
    asked: ['x-forwarded-for'],
  },
  'accept twice': { lines: [host, 'Accept: a/b', 'Accept: c/d'], asked: ['accept'] },
  utf8: { lines: [host, latin1('X-A: žluť')], asked: ['x-a'] },
  bytes: { lines: [host, 'X-A: A\xff\xc3'], asked: ['x-a'] },
  '98 and host': { lines: [host, ...many(97)], asked: ['x-n0', 'x-n96', 'host'] },
  '100 in all': { lines: [host, ...many(98)], asked: ['x-n0', 'x-n97', 'host'] },
  '101 in all': { lines: [host, ...many(99)], asked: ['x-n0', 'x-n98', 'host'] },
  '150 in all': { lines: [host, ...many(148)], asked: ['x-n0', 'x-n99', 'x-n147', 'host'] },
  '101 in all, late one repeated': {
    lines: [host, ...many(99), 'X-Late: a', 'X-Late: b'],
    asked: ['x-late'],
  },
  'name with dot': { lines: [host, 'X.A: dot'], asked: ['x.a'] },
  long: { lines: [host, `X-A: ${'y'.repeat(7000)}`], asked: ['x-a'] },
};
