/**
 * A secret in all alphabets that a target may send it in, and as it is. A short secret is left out, because too much
 * would match.
 */
export function formsOf(secret: string): string[] {
  if (secret.length < 8) return [secret];
  const bytes = Buffer.from(secret, 'utf8');
  const hex = bytes.toString('hex').match(/../g) ?? [];
  const hexes = ['', ' ', ':'].flatMap((between) => [hex.join(between), hex.join(between).toUpperCase()]);
  const alone = bytes.toString('base64').replace(/=+$/, '');
  const base64 = [alone, ...[0, 1, 2].map((before) => base64Within(bytes, before))];
  return [
    secret,
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    ...hexes,
    // UTF-16, read as bytes.
    [...secret].join('\0'),
    // A buffer in JSON.
    bytes.join(','),
  ];
}

/** The part of base64 that does not depend on the bytes before and after the secret. */
function base64Within(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const mixedBefore = before === 0 ? 0 : before + 1;
  const mixedAfter = (before + bytes.length) % 3 === 0 ? 0 : 1;
  return text.slice(mixedBefore, text.length - mixedAfter);
}
