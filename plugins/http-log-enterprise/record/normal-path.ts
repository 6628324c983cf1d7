import type { RawText } from './text.ts';

const reserved = new Set("!*'();:@&=+$,/?%#[]");

/**
 * A path as `kong.request.get_path` gives it (Kong 3.9, `kong/tools/uri.lua`): percent-encoded bytes that are not
 * reserved are decoded, dot segments are resolved, slashes in a row are one.
 */
export function normalPath(path: RawText): RawText {
  if (path === '' || path === '/') return path;
  const decoded = path.replace(/%([\da-f]{2})/gi, (whole, hex: string) => {
    const byte = String.fromCharCode(Number.parseInt(hex, 16));
    return reserved.has(byte) ? whole.toUpperCase() : byte;
  });
  if (!decoded.includes('.') && !decoded.includes('//')) return decoded;
  // The text before the first slash is a segment of its own: "." and ".." there vanish.
  const parts = decoded.split('/');
  const first = parts.shift() ?? '';
  const output: string[] = [];
  if (first !== '' && first !== '.' && first !== '..') output.push(first);
  parts.forEach((part, i) => {
    const isLast = i === parts.length - 1;
    if (part === '..') output.pop();
    const isDot = part === '.' || part === '..';
    if (isDot || part === '') {
      if (isLast) output.push('/');
    } else output.push(`/${part}`);
  });
  return output.join('');
}
