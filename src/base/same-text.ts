import { createHash, timingSafeEqual } from 'node:crypto';

/** Compared in the same time wherever they differ. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
