import { randomBytes, createHash } from 'node:crypto';

/** Kong's request id: 32 hexadecimal digits. */
export function requestId(): string {
  return randomBytes(16).toString('hex');
}

/** A stable UUID from a text (node id of one prefix, so that restarts keep it). */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex[16] as string, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
