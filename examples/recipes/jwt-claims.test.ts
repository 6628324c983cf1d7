import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import plugin from './jwt-claims.ts';

const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
type Algorithm = keyof typeof keys;
const now = Math.floor(Date.now() / 1000);
const good = { sub: 'ada', iss: 'me', aud: ['api'], exp: now + 60 };
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(algorithm: Algorithm, claims: object = good, head: object = {}): string {
  const text = `${part({ alg: algorithm, ...head })}.${part(claims)}`;
  const by = { key: keys[algorithm].privateKey, dsaEncoding: 'ieee-p1363' as const };
  const signature = sign(algorithm === 'EdDSA' ? null : 'sha256', Buffer.from(text), by);
  return `${text}.${signature.toString('base64url')}`;
}

const config = (algorithm: Algorithm) => ({
  algorithm,
  public_key: keys[algorithm].publicKey.export({ type: 'spki', format: 'pem' }) as string,
  issuer: 'me',
  audience: 'api',
  claims: { sub: 'x-sub', admin: 'x-admin' },
});

async function access(authorization: string | string[], algorithm: Algorithm = 'ES256') {
  await using t = await testPlugin(plugin, {
    config: config(algorithm),
    request: { headers: { authorization, 'x-admin': 'true', 'x-sub': 'root' } },
  });
  return await t.access();
}

describe('jwt-claims', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)(
    'takes %s, and no header that a client sets',
    async (algorithm) => {
      const { exit, upstream } = await access(`Bearer ${token(algorithm)}`, algorithm);
      expect(exit).toBeNull();
      expect(upstream?.headers).toMatchObject({ 'x-sub': 'ada' });
      expect(upstream?.headers).not.toHaveProperty('x-admin');
    },
  );

  it('sends the token on that it has checked, and no second one', async () => {
    const { upstream } = await access([`Bearer ${token('ES256')}`, 'Bearer x.y.z']);
    expect(upstream?.headers.authorization).toBe(
      `Bearer ${token('ES256').split('.').slice(0, 2).join('.')}.${String(upstream?.headers.authorization).split('.')[2] ?? ''}`,
    );
  });

  it.each([
    ['has expired', { ...good, exp: now - 60 }, {}],
    ['never expires', { ...good, exp: undefined }, {}],
    ['is not valid yet', { ...good, nbf: now + 600 }, {}],
    ['is from another issuer', { ...good, iss: 'you' }, {}],
    ['is for another audience', { ...good, aud: 'web' }, {}],
    ['is for no audience', { ...good, aud: undefined }, {}],
    ['asks for an extension', good, { crit: ['b64'], b64: false }],
    ['names another algorithm', good, { alg: 'RS256' }],
    ['names none', good, { alg: 'none' }],
  ])('refuses a token that %s', async (_what, claims, head) => {
    const { exit } = await access(`Bearer ${token('ES256', claims, head)}`);
    expect(exit).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
  });

  it('refuses a changed token, and what is not one', async () => {
    const [head = '', , signature = ''] = token('ES256').split('.');
    expect((await access(`Bearer ${head}.${part({ ...good, sub: 'root' })}.${signature}`)).exit?.status).toBe(
      401,
    );
    for (const text of ['', 'Bearer', 'Bearer a.b.c', 'Basic YTpi', `Bearer ${head}..${signature}`])
      expect((await access(text)).exit?.status).toBe(401);
  });

  it('starts with a key of its algorithm only', async () => {
    const wrong = { ...config('ES256'), algorithm: 'RS256' };
    await expect(testPlugin(plugin, { config: wrong })).rejects.toThrow(/not a key for RS256/);
  });
});
