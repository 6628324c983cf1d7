import { randomBytes } from 'node:crypto';

/** Kong's request id: 32 hexadecimal digits. */
export function requestId(): string {
  return randomBytes(16).toString('hex');
}
