import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ReceivedRequest } from '../../http/http1/index.ts';

export type BodyContent = { kind: 'memory'; content: Buffer } | { kind: 'file'; path: string; size: number };

let fileCount = 0;

/**
 * The body of a request. Nobody reads it unless a plugin asks or it is small; then it is kept in memory up to
 * `bufferBytes`, above that in a file under `<prefix>/client_body_temp`, as nginx does.
 */
export class RequestBody {
  #kept: BodyContent | null = null;
  #reading: Promise<BodyContent> | null = null;
  readonly #request: ReceivedRequest;
  readonly #options: { bufferBytes: number; prefix: string };
  readonly #chunked: boolean;
  #ownFile: string | null = null;
  /**
   * nginx's content_length_n. nginx reads this much of a body without chunks, and announces this length to the
   * upstream, whatever the upstream gets. Null: nginx reads and announces nothing.
   */
  length: number | null;

  constructor(request: ReceivedRequest, options: { bufferBytes: number; prefix: string }) {
    this.#request = request;
    this.#options = options;
    const length = request.headers['content-length'];
    this.length = length === undefined ? null : Number(length);
    this.#chunked = request.headers['transfer-encoding'] !== undefined;
  }

  /**
   * Reads all of it (once) and says where it is: nginx does so before it sends a request on (proxy_request_buffering).
   * Rejects when the client goes away first.
   */
  read(): Promise<BodyContent> {
    if (this.#kept !== null) return Promise.resolve(this.#kept);
    this.#reading ??= this.#readAll();
    return this.#reading;
  }

  /** Replaces the body by what a plugin set, once it is read. */
  replace(content: Buffer): void {
    this.#kept = { kind: 'memory', content };
    this.length = content.length;
  }

  /**
   * Takes the length that a plugin has set, or null if the plugin has cleared it. If the body was not read until now,
   * the client's next request begins behind that length.
   */
  declare(length: number | null): void {
    this.length = length;
    if (this.#reading === null && this.#kept === null) this.#request.declareLength(length ?? 0);
  }

  /** The bytes themselves, also from the file. Null if there are more than `maxBytes`. */
  async bytes(maxBytes: number): Promise<Buffer | null> {
    const content = await this.read();
    if (content.kind === 'memory') return content.content.length > maxBytes ? null : content.content;
    return content.size > maxBytes ? null : await readFile(content.path);
  }

  /** Removes the file. Call it when the request is over. */
  async close(): Promise<void> {
    if (this.#ownFile !== null) await rm(this.#ownFile, { force: true }).catch(() => undefined);
  }

  async #readAll(): Promise<BodyContent> {
    this.#kept = await this.#readContent();
    if (this.#chunked) this.length = sizeOf(this.#kept);
    return this.#kept;
  }

  async #readContent(): Promise<BodyContent> {
    const { bufferBytes } = this.#options;
    const announced = this.#chunked ? 0 : this.length;
    if (announced !== null && announced > bufferBytes) return this.#readToFile([]);
    const chunks: Buffer[] = [];
    if (this.#chunked || (announced ?? 0) > 0) {
      let size = 0;
      for await (const chunk of this.#request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > bufferBytes) return this.#readToFile(chunks);
      }
      if (!this.#request.complete) throw new Error('the client closed the connection while sending the body');
    }
    return { kind: 'memory', content: Buffer.concat(chunks) };
  }

  async #readToFile(start: readonly Buffer[]): Promise<BodyContent> {
    const directory = path.join(this.#options.prefix, 'client_body_temp');
    await mkdir(directory, { recursive: true });
    const file = path.join(directory, String(++fileCount).padStart(10, '0'));
    this.#ownFile = file;
    let size = start.reduce((total, chunk) => total + chunk.length, 0);
    const request = this.#request;
    await pipeline(
      async function* () {
        yield* start;
        for await (const chunk of request as AsyncIterable<Buffer>) {
          size += chunk.length;
          yield chunk;
        }
      },
      createWriteStream(file, { mode: 0o600 }),
    );
    return { kind: 'file', path: file, size };
  }
}

function sizeOf(body: BodyContent): number {
  return body.kind === 'memory' ? body.content.length : body.size;
}
