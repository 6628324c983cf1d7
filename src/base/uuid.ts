import { createHash } from 'node:crypto';

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a value is a UUID as Kong takes one: of any version, in upper or lower case. */
export function isUuid(value: string): boolean;
export function isUuid(value: unknown): value is string;
export function isUuid(value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}

/**
 * A version 5 UUID (RFC 9562, section 5.5): SHA-1 of a namespace and a name.
 * @param namespace a UUID
 */
export function uuidV5(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  return fromDigest(hash);
}

/** A stable UUID from a text alone: the same text has the same one in every process. */
export function uuidOf(text: string): string {
  return fromDigest(createHash('sha256').update(text).digest());
}

/** The first 16 bytes of a digest, with the bits that say version 5 and the variant. */
function fromDigest(digest: Buffer): string {
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
