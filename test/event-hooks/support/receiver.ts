import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}
type Answer = (request: Received, response: ServerResponse, raw: IncomingMessage) => void;

/** An HTTP server that keeps what it gets. */
export class Receiver {
  readonly received: Received[] = [];
  answer: Answer = (_request, response) => response.end('ok');
  readonly #server = createServer((raw, response) => {
    const chunks: Buffer[] = [];
    raw.on('data', (chunk: Buffer) => chunks.push(chunk));
    raw.on('end', () => {
      const { method = '', url = '', headers } = raw;
      const request = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') };
      this.received.push(request);
      this.answer(request, response, raw);
    });
  });

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  url(path = '/'): string {
    return `http://127.0.0.1:${String(this.port)}${path}`;
  }
  /** What came to a path, the ping of a hook's creation left out. */
  at(path: string): Received[] {
    return this.received.filter((one) => one.path === path && !one.body.includes('"event":"ping"'));
  }
  bodies(path: string): Record<string, unknown>[] {
    return this.at(path).map((one) => JSON.parse(one.body) as Record<string, unknown>);
  }
  /** Waits until so many requests came to a path. */
  async until(path: string, count: number, timeoutMs = 20_000): Promise<Received[]> {
    await this.untilTrue(
      () => this.at(path).length >= count,
      timeoutMs,
      () => `${String(this.at(path).length)} of ${String(count)} at ${path}`,
    );
    return this.at(path);
  }
  async untilTrue(
    test: () => boolean,
    timeoutMs = 20_000,
    what: () => string = () => 'condition',
  ): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!test()) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`timed out: ${what()}`);
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, 15)));
    }
  }
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
