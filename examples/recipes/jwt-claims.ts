import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { definePlugin, z } from 'kong-ts';

/** The algorithm comes from the configuration, never from the token. */
const algorithms = {
  RS256: {
    hash: 'sha256',
    fits: ({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject) =>
      type === 'rsa' && (details?.modulusLength ?? 0) >= 2048,
  },
  ES256: {
    hash: 'sha256',
    fits: (key: KeyObject) => key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
  },
  EdDSA: { hash: null, fits: (key: KeyObject) => key.asymmetricKeyType === 'ed25519' },
} as const;

const head = z.looseObject({ alg: z.string(), crit: z.never().optional() });
const body = z.looseObject({
  exp: z.number(),
  nbf: z.number().optional(),
  iss: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
});
type Claims = z.output<typeof body>;

const parts = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;
const decoded = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

/** Lets requests with a valid token through, and hands claims on as headers that no client can set by itself. */
export default definePlugin({
  name: 'jwt-claims',
  version: '1.0.0',
  priority: 1450,
  config: z.object({
    algorithm: z.enum(['RS256', 'ES256', 'EdDSA']),
    public_key: z.string().min(1).describe('PEM'),
    issuer: z.string().min(1),
    audience: z.string().min(1),
    leeway: z.number().min(0).max(300).default(30).describe('Seconds that clocks may differ'),
    claims: z.record(z.string(), z.string()).default({ sub: 'x-jwt-sub' }).describe('Claim to header'),
  }),
  phases: ['access'],
  setup({ config }) {
    const { hash, fits } = algorithms[config.algorithm];
    const key = createPublicKey(config.public_key);
    if (!fits(key)) throw new Error(`public_key is not a key for ${config.algorithm}`);

    /** @returns the claims, or null if anything about the token is wrong */
    function claimsOf(token: string): Claims | null {
      const [, first = '', second = '', signature = ''] = parts.exec(token) ?? [];
      try {
        const signed = Buffer.from(`${first}.${second}`);
        const by = { key, dsaEncoding: 'ieee-p1363' as const };
        if (head.parse(decoded(first)).alg !== config.algorithm) return null;
        if (!verify(hash, signed, by, Buffer.from(signature, 'base64url'))) return null;
        const claims = body.parse(decoded(second));
        const now = Date.now() / 1000;
        if (claims.exp <= now - config.leeway) return null;
        if (claims.nbf !== undefined && claims.nbf > now + config.leeway) return null;
        if (claims.iss !== config.issuer) return null;
        return [claims.aud].flat().includes(config.audience) ? claims : null;
      } catch {
        return null;
      }
    }

    return {
      async access(kong) {
        const header = await kong.request.getHeader('authorization');
        const token = /^Bearer +(\S{1,8192})$/i.exec(header ?? '')?.[1] ?? null;
        const claims = token === null ? null : claimsOf(token);
        if (token === null || claims === null) {
          const why = token === null ? 'Bearer' : 'Bearer error="invalid_token"';
          return kong.response.exit(401, { message: 'Unauthorized' }, { 'www-authenticate': why });
        }
        // A client may send several: the upstream gets the one that was checked.
        await kong.service.request.setHeader('authorization', `Bearer ${token}`);
        for (const [claim, name] of Object.entries(config.claims)) {
          const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
          const text = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
          if (/^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/.test(text))
            await kong.service.request.setHeader(name, text);
          else await kong.service.request.clearHeader(name);
        }
      },
    };
  },
});
