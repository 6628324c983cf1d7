import { Buffer } from 'node:buffer';
import { textByteLength, writeText } from '../../base/text.ts';

/** Keys of the fields 1 to 15 by wire type, for readers of the codecs. */
export const varintType = 0;
export const fixed64Type = 1;
export const bytesType = 2;
export const fixed32Type = 5;

/**
 * A growing buffer that messages are written into back to back. Lengths that are only known afterwards are patched in.
 * `begin` leaves one byte. `end` fills it, and moves the message when the length needs more.
 */
export class Writer {
  buffer: Buffer;
  position = 0;

  /** @param initialBytes room that is allocated at once */
  constructor(initialBytes = 256) {
    this.buffer = Buffer.allocUnsafe(initialBytes);
  }

  /** What was written, as a view: valid until the next write. */
  view(): Buffer {
    return this.buffer.subarray(0, this.position);
  }

  /** What was written, copied. */
  copy(): Buffer {
    return Buffer.from(this.view());
  }

  ensure(more: number): void {
    const needed = this.position + more;
    if (needed <= this.buffer.length) return;
    const bigger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(bigger, 0, 0, this.position);
    this.buffer = bigger;
  }

  byte(value: number): void {
    this.ensure(1);
    this.buffer[this.position++] = value;
  }

  bytes(source: Uint8Array): void {
    this.ensure(source.length);
    this.buffer.set(source, this.position);
    this.position += source.length;
  }

  /** A field's key. */
  key(field: number, type: number): void {
    const key = field * 8 + type;
    if (key < 0x80) this.byte(key);
    else this.varint(key);
  }

  /** An unsigned integer up to 2^53 - 1, or a negative one as its 64 bits. */
  varint(value: number): void {
    this.ensure(10);
    const { buffer } = this;
    let at = this.position;
    if (value < 0) {
      this.bigVarint(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    let rest = value;
    while (rest > 0x7fffffff) {
      buffer[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      buffer[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.position = at;
  }

  bigVarint(value: bigint): void {
    this.ensure(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.buffer[this.position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.position++] = Number(rest);
  }

  /** An int64 that does not fit a number comes and goes as a bigint. */
  int64(value: number | bigint): void {
    if (typeof value === 'bigint') this.bigVarint(value);
    else this.varint(value);
  }

  double(value: number): void {
    this.ensure(8);
    this.buffer.writeDoubleLE(value, this.position);
    this.position += 8;
  }

  /** A length-delimited text, without its key. */
  text(value: string): void {
    // Three bytes for each UTF-16 unit is the most that UTF-8 takes.
    this.ensure(5 + value.length * 3);
    if (value.length * 3 < 0x80) {
      const written = writeText(value, this.buffer, this.position + 1);
      this.buffer[this.position] = written;
      this.position += written + 1;
      return;
    }
    this.varint(textByteLength(value));
    this.position += writeText(value, this.buffer, this.position);
  }

  /** Length-delimited bytes, without their key. */
  blob(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes(value);
  }

  /** Starts a length-delimited part; give the returned mark to `end`. */
  begin(): number {
    this.ensure(1);
    return this.position++;
  }

  end(mark: number): void {
    const length = this.position - mark - 1;
    if (length < 0x80) {
      this.buffer[mark] = length;
      return;
    }
    let size = 1;
    for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
    this.ensure(size - 1);
    this.buffer.copyWithin(mark + size, mark + 1, this.position);
    this.position = mark;
    this.varint(length);
    this.position += length;
  }

  /** Starts a frame of ProtoBuf:1; give the returned mark to `endFrame`. */
  beginFrame(): number {
    this.ensure(4);
    const mark = this.position;
    this.position += 4;
    return mark;
  }

  endFrame(mark: number): void {
    this.buffer.writeUInt32LE(this.position - mark - 4, mark);
  }
}
