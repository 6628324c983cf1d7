import type { ServerResponse } from 'node:http';
import { writeTo } from './socket-writer.ts';

/** nginx's send_timeout: how long a client may take nothing, in milliseconds. */
const sendTimeout = 60_000;

/**
 * The client's side of an answer. It writes the head byte by byte as it is given: node:http's own writes no words for a
 * status but its own, no header twice that it thinks single, and none that it thinks wrong.
 */
export class ClientOutput {
  private readonly response: ServerResponse;
  /** Bytes that were handed to the connection. */
  bytes = 0;

  constructor(response: ServerResponse) {
    this.response = response;
  }

  /** Writes the head, which is sent together with the first bytes of the body. @param keep the connection stays afterwards */
  head(bytes: Buffer, keep: boolean): void {
    const { response } = this;
    if (response.destroyed) return;
    this.bytes += bytes.length;
    response.shouldKeepAlive = keep;
    response.chunkedEncoding = false;
    // With a head of its own in place, node:http passes the rest on as it is.
    const sent = bytes.length === 0;
    const head = sent ? ' ' : bytes.toString('latin1');
    Object.assign(response, { _header: head, _headerSent: sent, _last: !keep, _hasBody: true });
  }

  /** Sends bytes of the body. Resolves when the client takes more. @throws WriteFailed */
  async body(bytes: Buffer): Promise<void> {
    const writing = writeTo(this.response, bytes, sendTimeout);
    if (!this.response.destroyed) this.bytes += bytes.length;
    await writing;
  }

  /** The answer is whole: resolves when it is on its way, or the client has gone. */
  end(): Promise<void> {
    const { response } = this;
    if (response.destroyed || response.socket?.destroyed === true) return Promise.resolve();
    return new Promise((resolve) => {
      response.once('close', resolve);
      response.end(resolve);
    });
  }

  /** Cuts the connection off. */
  terminate(): void {
    this.response.destroy();
  }
}
