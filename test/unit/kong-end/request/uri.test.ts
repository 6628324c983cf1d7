import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { upstreamPath } from '../../../../src/kong-end/request/upstream-uri.ts';
import { escapePath, formatQuery, normalizePath, parseQuery } from '../../../../src/kong-end/request/uri.ts';

test.each([
  ['/', '/'],
  ['/a/../b', '/b'],
  ['/../../etc', '/etc'],
  ['/a/./b/', '/a/b/'],
  ['/a//b', '/a/b'],
  ['/a%20b', '/a b'],
  ['/a%2Fb%2fc', '/a%2Fb%2Fc'],
  ['/%7euser', '/~user'],
  ['/a/..', '/'],
  ['/a/b/.', '/a/b/'],
  ['/%C3%BC', '/ü'],
  ['/%zz', '/%zz'],
])('normalizePath(%s) is %s', (path, normal) => {
  expect(normalizePath(path)).toBe(normal);
});

test('escapePath encodes what Kong encodes, byte by byte', () => {
  expect(escapePath('/a b/ü%20"')).toBe('/a%20b/%C3%BC%20%22');
});

test('a normalized path never climbs out and is stable', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('/', '.', '..', 'a', '%2e', '%2F', '%00', 'ü'), { maxLength: 20 }),
      (parts) => {
        const once = normalizePath(`/${parts.join('')}`);
        expect(once.startsWith('/')).toBe(true);
        expect(once.split('/')).not.toContain('..');
      },
    ),
  );
});

describe('queries', () => {
  test('valueless, empty and repeated arguments, as nginx has them', () => {
    expect({ ...parseQuery('foo=bar&foo=baz&flag&empty=&a%20b=c+d&=x&&') }).toEqual({
      foo: ['bar', 'baz'],
      flag: true,
      empty: '',
      'a b': 'c d',
    });
  });

  test('no more than the maximum, and no prototype is touched', () => {
    expect(Object.keys(parseQuery('a=1&b=2&c=3', 2))).toEqual(['a', 'b']);
    expect(Object.keys(parseQuery('__proto__=x&constructor=y'))).toEqual(['__proto__', 'constructor']);
  });

  test('written sorted and encoded', () => {
    expect(formatQuery({ b: 'x y', a: ['1', '2'], c: true, d: false })).toBe('a=1&a=2&b=x%20y&c');
  });

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { maxKeys: 20 }), (table) => {
        expect({ ...parseQuery(formatQuery(table), 0) }).toEqual({ ...table });
      }),
    );
  });
});

/** base, path, postfix, strip_path, what goes to the upstream: cases of Kong's documentation. */
test.each([
  ['/', '/foo/bar', '/bar', true, '/bar'],
  ['/', '/foo', '', true, '/'],
  ['/base', '/foo', '', true, '/base'],
  ['/base', '/foo/', '/', true, '/base/'],
  ['/base/', '/foo', '', true, '/base'],
  ['/base/', '/foo/bar', '/bar', true, '/base/bar'],
  ['/base', '/foobar', 'bar', true, '/base/bar'],
  ['/base', '/foo/bar', '/bar', false, '/base/foo/bar'],
  ['/base/', '/foo/bar', '/bar', false, '/base/foo/bar'],
  ['/base', '/', '', false, '/base'],
])('%s + %s (left: %s, strip %s) is %s', (base, path, postfix, strip_path, upstream) => {
  expect(upstreamPath({ strip_path }, base, path, postfix)).toBe(upstream);
});
