import { describe, expect, it } from 'vitest';
import type { Callers } from '../../../src/http/callers.ts';
import { foreignCaller, isLoopback, mayBeForeign } from '../../../src/http/callers.ts';

const loopback: Callers = { loopback: true, names: ['kong.example.com'] };
const network: Callers = { loopback: false, names: [] };
const passes = (headers: Record<string, string>, callers = loopback, method = 'POST'): boolean =>
  foreignCaller(method, headers, callers) === null;

describe('a caller without a token', () => {
  it.each(['127.0.0.1:8011', 'localhost:8011', 'LOCALHOST', '[::1]:8011', '10.0.0.7', 'a.localhost:1', ''])(
    'passes with Host %j on loopback',
    (host) => {
      expect(passes({ host })).toBe(true);
    },
  );

  it.each([
    'evil.example:8011',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'kong-ts',
    '2130706433',
    '127.1',
    '[::1',
    'local host',
    'localhost:8011:1',
    'localhost@evil.example',
    'localhost/',
  ])('is refused with Host %j on loopback', (host) => {
    expect(passes({ host })).toBe(false);
  });

  it('passes with names of its network where the network may connect', () => {
    for (const host of ['kong-ts:8011', 'hooks.default.svc.cluster.local', 'kong.internal']) {
      expect(passes({ host }, network)).toBe(true);
    }
    expect(passes({ host: 'evil.example' }, network)).toBe(false);
  });

  it('passes with a name that was allowed', () => {
    expect(passes({ host: 'Kong.Example.com:8011' })).toBe(true);
  });

  it.each(['http://evil.example', 'null', 'http://localhost:3000', 'file://', 'nonsense'])(
    'is refused as a page of %s',
    (origin) => {
      expect(passes({ host: 'localhost:8011', origin })).toBe(false);
    },
  );

  it('passes as a page of this listener', () => {
    const headers = { host: 'localhost:8011', origin: 'http://localhost:8011' };
    expect(passes({ ...headers, 'sec-fetch-site': 'same-origin' })).toBe(true);
    expect(mayBeForeign('POST', headers, loopback)).toBe(true);
  });

  it.each(['cross-site', 'same-site', 'odd'])('is refused where a browser says %s', (site) => {
    expect(passes({ host: 'localhost', 'sec-fetch-site': site }, loopback, 'GET')).toBe(false);
  });

  it('may type the address to read, and not to write', () => {
    const headers = { host: 'localhost', 'sec-fetch-site': 'none' };
    expect(passes(headers, loopback, 'GET')).toBe(true);
    expect(passes(headers, loopback, 'POST')).toBe(false);
  });
});

it('loopback is an address of this machine', () => {
  expect(['127.0.0.1', '127.8.8.8', '::1', 'localhost'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '10.0.0.1', 'localhost.evil.example'].some(isLoopback)).toBe(false);
});
