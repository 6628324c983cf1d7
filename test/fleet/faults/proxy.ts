import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A way to a port that can be cut, or held half open: connections stay, and nothing passes. */
export class Proxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: 'pass' | 'cut' | 'hold' = 'pass';
  target: number;

  private constructor(target: number) {
    this.target = target;
    this.#server = createServer((near) => {
      near.on('error', () => undefined);
      if (this.#mode === 'cut') {
        near.destroy();
        return;
      }
      const far = connect(this.target, '127.0.0.1');
      const pair = [near, far] as const;
      this.#pairs.add(pair);
      for (const [one, other] of [pair, [far, near] as const]) {
        one.on('error', () => undefined);
        one.on('close', () => {
          other.destroy();
          this.#pairs.delete(pair);
        });
        one.pipe(other);
        if (this.#mode === 'hold') one.pause();
      }
    });
  }

  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  set mode(mode: 'pass' | 'cut' | 'hold') {
    this.#mode = mode;
    for (const pair of this.#pairs)
      for (const one of pair) {
        if (mode === 'cut') one.destroy();
        else if (mode === 'hold') one.pause();
        else one.resume();
      }
  }

  async close(): Promise<void> {
    this.mode = 'cut';
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}
