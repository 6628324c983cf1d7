import { parseHeaderLine } from './header-line.ts';
import type { RefusalStatus, RequestHead } from './request-head.ts';
import { completeHead, emptyHead, parseRequestLine, RequestRefused } from './request-head.ts';

/** nginx's client_header_buffer_size and large_client_header_buffers. */
const firstBuffer = 1024;
const largeBuffer = 8192;
const largeBuffers = 4;

const lf = 10;
const cr = 13;
const colon = 58;

/** Takes the bytes of one request head, however they are cut, and holds no more than nginx would. */
export class HeadReader {
  #pending: Buffer = Buffer.alloc(0);
  #head: RequestHead = emptyHead;
  #room = firstBuffer;
  #buffers = 0;

  /** True once a byte of a request has come. */
  get isStarted(): boolean {
    return this.#pending.length > 0 || this.#head !== emptyHead;
  }

  /** What was read of the request until now. */
  get partial(): RequestHead {
    return this.#head;
  }

  /** Reads on; null until the head is complete, then the head and the bytes after it. @throws RequestRefused */
  push(chunk: Buffer): { head: RequestHead; rest: Buffer } | null {
    const data = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let at = this.#skipEmptyLines(data);
    for (;;) {
      const end = data.indexOf(lf, at);
      if (end < 0) break;
      this.#takeRoom(end + 1 - at);
      this.#head = { ...this.#head, bytes: this.#head.bytes + end + 1 - at };
      if (this.#head.method === '') this.#takeRequestLine(data.toString('latin1', at, end));
      else if (this.#takeHeader(data, at))
        return { head: completeHead(this.#head), rest: data.subarray(end + 1) };
      at = end + 1;
    }
    const left = data.length - at;
    if (left >= largeBuffer) this.#refuse(this.#tooLong);
    this.#pending = Buffer.from(data.subarray(at));
    this.#checkMethod();
    return null;
  }

  get #tooLong(): RefusalStatus {
    return this.#head.method === '' ? 414 : 494;
  }

  #refuse(status: RefusalStatus): never {
    throw new RequestRefused(status, this.#head);
  }

  /** Where the request line begins: nginx passes over empty lines before it. */
  #skipEmptyLines(data: Buffer): number {
    let at = 0;
    if (this.#head.method === '') while (data[at] === cr || data[at] === lf) at++;
    return at;
  }

  /** Bytes that are not HTTP are refused at once, not when their line ends. */
  #checkMethod(): void {
    if (this.#head.method !== '' || this.#pending.length === 0) return;
    if (!/^[A-Z_-]+(?: |$)/.test(this.#pending.toString('latin1', 0, 64))) this.#refuse(400);
  }

  /** Counts a line against nginx's buffers, none of which holds half a line. */
  #takeRoom(length: number): void {
    if (length > this.#room) {
      if (length > largeBuffer || this.#buffers === largeBuffers) this.#refuse(this.#tooLong);
      this.#buffers++;
      this.#room = largeBuffer;
    }
    this.#room -= length;
  }

  #takeRequestLine(bytes: string): void {
    const line = bytes.endsWith('\r') ? bytes.slice(0, -1) : bytes;
    const parsed = parseRequestLine(line);
    this.#head = { ...this.#head, line, method: line.split(' ', 1)[0] ?? '', rawHeaders: [] };
    if (typeof parsed === 'number') this.#refuse(parsed);
    this.#head = { ...this.#head, ...parsed };
  }

  /** Takes the line that begins at `start`; true for the empty one after the headers. */
  #takeHeader(data: Buffer, start: number): boolean {
    const parsed = parseHeaderLine(data, start);
    if (parsed.kind === 'end') return true;
    if (parsed.kind !== 'line') this.#refuse(400);
    // ignore_invalid_headers; Kong 3.9.3 drops a line without a colon as well (measured).
    const hasColon = data[start + parsed.name.length] === colon;
    if (hasColon && !parsed.odd) this.#head.rawHeaders.push(parsed.name, parsed.value);
    return false;
  }
}
