import { expect, test } from 'vitest';
import { loadDeclarativeObject } from '../../../../src/kong-end/declarative/index.ts';
import { Certificates } from '../../../../src/sandbox/gateway/certificates.ts';
import { selfSigned } from '../../../../src/sandbox/gateway/self-signed.ts';

const pair = selfSigned();

/** Whether a client that names a server gets the certificate of an SNI entity, and not the gateway's own. */
function served(sni: string, name: string | null): boolean {
  const certificates = new Certificates(() => undefined);
  const of = (snis: string[]): unknown =>
    certificates.contextFor(
      name,
      loadDeclarativeObject({ _format_version: '3.0', certificates: [{ ...pair, snis }] }).snapshot(),
    );
  return of([sni]) !== of([]);
}

test.each([
  ['a.b.test', 'a.b.test', true],
  ['*.b.test', 'a.b.test', true],
  ['*.test', 'b.test', false],
  ['*.test', 'a.b.test', false],
  ['a.b.*', 'a.b.test', true],
  ['a.*', 'a.b.test', false],
  ['*', 'a', true],
  ['*', null, false],
])('the certificate for %s and a client that names %s: %o', (sni, name, expected) => {
  expect(served(sni, name)).toBe(expected);
});
