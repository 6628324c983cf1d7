import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Violation } from '../model/errors.ts';
import type { TargetConfig } from './http-fields.ts';

/** How `x-kong-signature` is computed: SHA-256 as in Kong 3.14 and later, SHA-1 as before. */
type SignatureAlgorithm = NonNullable<TargetConfig['signature']>;

/** Signs the exact bytes of bodies with the secrets of a hook. */
export class Signer {
  readonly #kongKey: KeyObject;
  readonly #standardKeys: KeyObject[];
  readonly #algorithm: SignatureAlgorithm;

  /** @param previous secrets that still sign beside the first one while it is being rotated */
  constructor(secret: string, previous: readonly string[] = [], algorithm: SignatureAlgorithm = 'sha256') {
    this.#kongKey = createSecretKey(Buffer.from(secret, 'utf8'));
    this.#standardKeys = [secret, ...previous].map((one) => createSecretKey(standardKey(one)));
    this.#algorithm = algorithm;
  }

  /** The value of `x-kong-signature`: HMAC of the body, lower-case hexadecimal. */
  kong(body: string | Buffer): string {
    return createHmac(this.#algorithm, this.#kongKey).update(body).digest('hex');
  }

  /** The value of `webhook-signature` (Standard Webhooks 1.0.0): one signature per secret, separated by spaces. */
  standard(id: string, timestamp: number, body: string | Buffer): string {
    const head = `${id}.${String(timestamp)}.`;
    return this.#standardKeys
      .map((key) => `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`)
      .join(' ');
  }
}

/** Secrets that claim to be base64 (Standard Webhooks) and are not. */
export function checkSecrets(config: TargetConfig): Violation[] {
  const violations: Violation[] = [];
  const check = (path: string, secret: string): void => {
    if (!secret.startsWith(prefix) || isBase64(secret.slice(prefix.length))) return;
    violations.push({ path, text: 'expected base64 after whsec_' });
  };
  if (config.secret !== null) check('config.secret', config.secret);
  for (const [index, one] of (config.previous_secrets ?? []).entries())
    check(`config.previous_secrets.${String(index + 1)}`, one);
  return violations;
}

const prefix = 'whsec_';
/** With the padding that belongs to it, or with none: others decode no more than that, or another key. */
const isBase64 = (text: string): boolean => {
  const [, data = '', padding = ''] = /^([A-Za-z0-9+/_-]+)(={0,2})$/.exec(text) ?? [];
  if (data.length < 2 || data.length % 4 === 1) return false;
  return padding === '' || (data.length + padding.length) % 4 === 0;
};

function standardKey(secret: string): Buffer {
  if (secret.startsWith('whsec_')) {
    const decoded = Buffer.from(secret.slice('whsec_'.length), 'base64');
    if (decoded.length > 0) return decoded;
  }
  return Buffer.from(secret, 'utf8');
}
