/**
 * Lua strings are bytes. Bytes that are not UTF-8 become lone surrogates in JavaScript, byte b as U+DC00 + b, and turn
 * back into the same bytes.
 */
export function encodeLuaText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const next = text.charCodeAt(i + 1);
    if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) {
      i += 1;
    } else if (unit >= 0xdc80 && unit <= 0xdcff) {
      parts.push(Buffer.from(text.slice(from, i), 'utf8'), Buffer.from([unit - 0xdc00]));
      from = i + 1;
    }
  }
  parts.push(Buffer.from(text.slice(from), 'utf8'));
  return Buffer.concat(parts);
}

export function decodeLuaText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  let out = '';
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes[i] ?? 0);
    const piece = length === 0 ? '' : bytes.toString('utf8', i, i + length);
    const whole = length > 0 && Buffer.from(piece, 'utf8').equals(bytes.subarray(i, i + length));
    out += whole ? piece : String.fromCharCode(0xdc00 + (bytes[i] ?? 0));
    i += whole ? length : 1;
  }
  return out;
}

/** How many bytes the sequence that starts with this byte has, 0 for a byte that cannot start one. */
function sequenceLength(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 0;
}
