/**
 * A body in chunks as nginx 1.25.3 reads it (ngx_http_parse_chunked), from clients and from upstreams alike: lines may
 * end with LF alone, what follows `;`, a space or a tab after a size is passed over, and so are trailers. Nothing is
 * held back: memory does not grow with what the peer sends.
 */
export class ChunkedBody {
  #state: State = 'start';
  /** Bytes that are left of the chunk, or its size as far as it was read. */
  #size = 0;
  /** Bytes of extensions and trailers since the last byte of content. */
  #idle = 0;
  readonly #maxIdle: number;
  /** True after the last chunk and its trailers. */
  done = false;

  /** @param maxIdle how many bytes of extensions and trailers may come without content (nginx has no such limit) */
  constructor(maxIdle = 64 * 1024) {
    this.#maxIdle = maxIdle;
  }

  /**
   * Takes bytes and hands the content in them to `take`, in pieces that share their memory.
   *
   * @returns how many bytes belong to the body: fewer than given only when it is `done`
   * @throws InvalidChunk
   */
  read(bytes: Buffer, take: (content: Buffer) => void): number {
    let at = 0;
    while (at < bytes.length && !this.done) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#size);
        take(bytes.subarray(at, end));
        this.#size -= end - at;
        this.#idle = 0;
        at = end;
        if (this.#size === 0) this.#state = 'after-data';
        continue;
      }
      this.#step(bytes[at] as number);
      at++;
    }
    return at;
  }

  #step(byte: number): void {
    const state = this.#state;
    switch (state) {
      case 'start':
      case 'size':
        this.#readSize(byte);
        return;
      case 'after-data':
        if (byte === cr) this.#state = 'after-data-lf';
        else if (byte === lf) this.#state = 'start';
        else fail('no line end after a chunk');
        return;
      case 'extension':
      case 'last-extension':
        this.#pass();
        if (byte === cr) this.#state = state === 'extension' ? 'extension-lf' : 'last-extension-lf';
        else if (byte === lf) this.#state = state === 'extension' ? 'data' : 'trailer';
        return;
      case 'trailer':
        if (byte === lf) this.done = true;
        else this.#state = byte === cr ? 'end-lf' : 'trailer-line';
        return;
      case 'trailer-line':
        this.#pass();
        if (byte === lf) this.#state = 'trailer';
        else if (byte === cr) this.#state = 'trailer-lf';
        return;
      case 'end-lf':
        if (byte !== lf) fail('a CR without LF at the end');
        this.done = true;
        return;
      case 'data':
        return;
      default:
        if (byte !== lf) fail('a CR without LF');
        this.#state = afterLineFeed[state];
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#size = this.#state === 'start' ? digit : this.#size * 16 + digit;
      this.#state = 'size';
      if (this.#size > Number.MAX_SAFE_INTEGER) fail('the size of a chunk is too large');
      return;
    }
    if (this.#state === 'start') fail('the size of a chunk is missing');
    const last = this.#size === 0;
    if (byte === cr) this.#state = last ? 'last-extension-lf' : 'extension-lf';
    else if (byte === lf) this.#state = last ? 'trailer' : 'data';
    else if (byte === semicolon || byte === space || byte === tab)
      this.#state = last ? 'last-extension' : 'extension';
    else fail('the size of a chunk is not a number');
  }

  #pass(): void {
    if (++this.#idle > this.#maxIdle) fail('extensions and trailers without end');
  }
}

/** The bytes are not a chunked body. */
export class InvalidChunk extends Error {
  override readonly name = 'InvalidChunk';
}

type State =
  | 'start'
  | 'size'
  | 'extension'
  | 'extension-lf'
  | 'data'
  | 'after-data'
  | 'after-data-lf'
  | 'last-extension'
  | 'last-extension-lf'
  | 'trailer'
  | 'trailer-line'
  | 'trailer-lf'
  | 'end-lf';

const afterLineFeed = {
  'extension-lf': 'data',
  'after-data-lf': 'start',
  'last-extension-lf': 'trailer',
  'trailer-lf': 'trailer',
} as const;

const cr = 13;
const lf = 10;
const tab = 9;
const space = 32;
const semicolon = 59;

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function fail(reason: string): never {
  throw new InvalidChunk(reason);
}
