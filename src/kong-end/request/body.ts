import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

export type BodyContent = { kind: 'memory'; content: Buffer } | { kind: 'file'; path: string; size: number };

let fileCount = 0;

/**
 * The body of a request. Nobody reads it unless a plugin asks or it is small; then it is kept in memory up to
 * `bufferBytes`, above that in a file under `<prefix>/client_body_temp`, as nginx does.
 */
export class RequestBody {
  private kept: BodyContent | null = null;
  private reading: Promise<BodyContent> | null = null;
  private readonly request: IncomingMessage;
  private readonly options: { bufferBytes: number; prefix: string };
  private ownFile: string | null = null;
  /** Bytes that came from the client so far. */
  received = 0;

  constructor(request: IncomingMessage, options: { bufferBytes: number; prefix: string }) {
    this.request = request;
    this.options = options;
  }

  /** Length that the client announced: null for a chunked body, 0 for none. */
  get announced(): number | null {
    const length = this.request.headers['content-length'];
    if (length !== undefined) return Number(length);
    return this.request.headers['transfer-encoding'] === undefined ? 0 : null;
  }

  /** Reads all of it (once) and says where it is. Rejects when the client goes away first. */
  read(): Promise<BodyContent> {
    if (this.kept !== null) return Promise.resolve(this.kept);
    if (this.announced === 0) return Promise.resolve({ kind: 'memory', content: Buffer.alloc(0) });
    this.reading ??= this.readAll();
    return this.reading;
  }

  /** Replaces the body by what a plugin set. */
  replace(content: Buffer): void {
    if (this.kept === null && this.reading === null) this.request.resume();
    this.kept = { kind: 'memory', content };
  }

  /**
   * The body for the upstream, read to its end as nginx does before it sends anything (proxy_request_buffering on).
   * Null where the request has none: not even a length of 0.
   */
  async content(): Promise<BodyContent | null> {
    if (this.kept !== null) return this.kept;
    if (this.announced === 0 && this.request.headers['content-length'] === undefined) return null;
    return this.read();
  }

  /** The bytes themselves, also from the file; null when they are more than `maxBytes`. */
  async bytes(maxBytes: number): Promise<Buffer | null> {
    const content = await this.read();
    if (content.kind === 'memory') return content.content.length > maxBytes ? null : content.content;
    return content.size > maxBytes ? null : await readFile(content.path);
  }

  /** Removes the file. Call it when the request is over. */
  async close(): Promise<void> {
    if (this.ownFile !== null) await rm(this.ownFile, { force: true }).catch(() => undefined);
  }

  private async readAll(): Promise<BodyContent> {
    const { bufferBytes } = this.options;
    const announced = this.announced;
    if (announced !== null && announced > bufferBytes) return this.readToFile([]);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      this.received += chunk.length;
      if (size > bufferBytes) return this.readToFile(chunks);
    }
    if (!this.request.complete) throw new Error('the client closed the connection while sending the body');
    this.kept ??= { kind: 'memory', content: Buffer.concat(chunks) };
    return this.kept;
  }

  private async readToFile(start: readonly Buffer[]): Promise<BodyContent> {
    const directory = path.join(this.options.prefix, 'client_body_temp');
    await mkdir(directory, { recursive: true });
    const file = path.join(directory, String(++fileCount).padStart(10, '0'));
    this.ownFile = file;
    let size = start.reduce((total, chunk) => total + chunk.length, 0);
    const { request } = this;
    const count = (chunk: Buffer): void => {
      size += chunk.length;
      this.received += chunk.length;
    };
    await pipeline(
      async function* () {
        yield* start;
        for await (const chunk of request as AsyncIterable<Buffer>) {
          count(chunk);
          yield chunk;
        }
      },
      createWriteStream(file, { mode: 0o600 }),
    );
    this.kept ??= { kind: 'file', path: file, size };
    return this.kept;
  }
}
