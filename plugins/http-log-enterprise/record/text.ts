/**
 * Inside this plugin a record is "raw text": its bytes one to one as characters (latin1). JSON's structure is ASCII, so
 * raw text can be cut and joined without decoding, and bytes that are not UTF-8 (a client can put any byte into a
 * header) leave as they came. Decoded strings carry such bytes as lone surrogates, byte b as U+DC00 + b.
 */
export type RawText = string;

/** Whether every character is ASCII: then raw text and decoded text are the same. */
const isAscii = (text: string): boolean => Buffer.byteLength(text, 'utf8') === text.length;

/** The record as the PDK gave it, as raw text. */
export function toRaw(record: string | Uint8Array): RawText {
  if (typeof record !== 'string')
    return Buffer.from(record.buffer, record.byteOffset, record.length).toString('latin1');
  return isAscii(record) ? record : encodeBytes(record).toString('latin1');
}

/** Decodes raw text for people and programs to look at. */
export function decodeRaw(raw: RawText): string {
  if (isAscii(raw)) return raw;
  const bytes = Buffer.from(raw, 'latin1');
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? decodeLoosely(bytes) : text;
}

/** Encodes decoded text (with lone surrogates for foreign bytes) as raw text. */
export const encodeRaw = (text: string): RawText =>
  isAscii(text) ? text : encodeBytes(text).toString('latin1');

function encodeBytes(text: string): Buffer {
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

/** How many bytes the sequence that starts with this byte has, 0 for a byte that cannot start one. */
function sequenceLength(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 0;
}

function decodeLoosely(bytes: Buffer): string {
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes[i] ?? 0);
    const piece = length === 0 ? '\ufffd' : bytes.toString('utf8', i, i + length);
    const whole = length > 0 && Buffer.from(piece, 'utf8').equals(bytes.subarray(i, i + length));
    text += whole ? piece : String.fromCharCode(0xdc00 + (bytes[i] ?? 0));
    i += whole ? length : 1;
  }
  return text;
}
