import { describe, expect, test } from 'vitest';
import { formatAddress, isIpOrCidr, parseAddress } from '../../../../src/kong-end/entities/hosts.ts';
import * as validators from '../../../../src/kong-end/entities/validators.ts';

describe('addresses', () => {
  test.each([
    ['example.com', 'example.com:8000'],
    ['example.com:80', 'example.com:80'],
    ['under_score', 'under_score:8000'],
    ['1.2.3.4', '1.2.3.4:8000'],
    ['1.2.3.4:5', '1.2.3.4:5'],
    ['::1', '[0000:0000:0000:0000:0000:0000:0000:0001]:8000'],
    ['[2001:DB8::1]:443', '[2001:0db8:0000:0000:0000:0000:0000:0001]:443'],
  ])('%s is %s', (text, formatted) => {
    const address = parseAddress(text);
    expect(typeof address === 'string' ? address : formatAddress(address, 8000)).toBe(formatted);
  });

  test.each([
    ['bad name', 'invalid'],
    ['a..b', 'invalid'],
    ['a-.b', 'invalid'],
    ['1.2.3', 'invalid'],
    ['1.2.3.256', 'invalid'],
    ['h:70000', 'invalid port number'],
    ['[::1]:70000', 'invalid port number'],
    ['::zz', 'invalid'],
    ['', 'invalid'],
  ])('%s: %s', (text, error) => {
    expect(parseAddress(text)).toBe(error);
  });

  test.each([
    ['10.0.0.0/8', true],
    ['10.0.0.0/33', false],
    ['::/0', true],
    ['10.0.0.1', true],
    ['host', false],
    ['1.1.1.1/8/8', false],
  ])('%s is an address or range: %s', (text, expected) => {
    expect(isIpOrCidr(text)).toBe(expected);
  });
});

describe("Kong's validators", () => {
  test.each<[keyof typeof validators, string, string | undefined]>([
    ['host', 'a:1', 'must not have a port'],
    ['host', 'a b', 'invalid value: a b'],
    ['path', '/a?b', "invalid path: '/a?b' (characters outside of the reserved list of RFC 3986 found)"],
    ['path', '/a%zz', "invalid url-encoded value: '%zz'"],
    ['routerPath', '/a/../b', "non-normalized path, consider use '/b' instead"],
    ['routerPath', '/a%41', "non-normalized path, consider use '/aA' instead"],
    ['routerPath', '/ok/', undefined],
    ['routerPath', '~/a/(?<id>\\d+)$', undefined],
    [
      'tag',
      'a,b',
      "invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences",
    ],
    ['tag', 'team a', undefined],
    ['headerName', 'x y', "bad header name 'x y', allowed characters are A-Z, a-z, 0-9, '_', and '-'"],
    ['wildcardHost', 'a*b', 'wildcard must be leftmost or rightmost character'],
    ['wildcardHost', '*.a.*', 'only one wildcard must be specified'],
    ['sni', '1.2.3.4', 'must not be an IP'],
    ['upstreamName', '1.2.3.4', "Invalid name ('1.2.3.4'); no ip addresses allowed"],
    ['ipOrCidr', 'x', "invalid ip or cidr range: 'x'"],
  ])('%s(%j): %j', (name, value, error) => {
    expect(validators[name](value)).toBe(error);
  });

  test('certificates and keys have to be PEM', () => {
    expect(validators.certificate('x')).toMatch(/^invalid certificate: /);
    expect(validators.privateKey('x')).toMatch(/^invalid key: /);
  });
});
