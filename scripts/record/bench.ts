import net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { ExchangeOptions, RawAnswer } from '../gateways/raw-exchange.ts';
import { exchange } from '../gateways/raw-exchange.ts';
import type { Gateway } from '../gateways/gateway.ts';
import type { ProbeName } from '../gateways/plugins.ts';
import type { Probe } from '../gateways/probe.ts';
import { quiet, within } from '../gateways/quiet.ts';
import { Upstream } from '../gateways/upstream.ts';
import type { Places } from './config.ts';
import { probeConfig, recordedRequest } from './config.ts';

/** A gateway with what the recordings need beside it: an HTTP upstream and an echo for streams. */
export class Bench {
  readonly gateway: Gateway;
  readonly upstream: Upstream;
  readonly #echo: net.Server;

  private constructor(gateway: Gateway, upstream: Upstream, echo: net.Server) {
    this.gateway = gateway;
    this.upstream = upstream;
    this.#echo = echo;
  }

  static async open(gateway: Gateway): Promise<Bench> {
    const upstream = await new Upstream().listen(gateway.here.listen);
    const echo = net.createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, gateway.here.listen, resolve));
    return new Bench(gateway, upstream, echo);
  }

  get places(): Places {
    const { here, stream } = this.gateway;
    const { port } = this.#echo.address() as AddressInfo;
    return {
      here: here.name,
      upstream: this.upstream.port,
      stream: stream === null ? null : { kongPort: stream.kongPort, upstream: port },
    };
  }

  /** Makes one of the probes the plugin of all requests. */
  async use(plugin: ProbeName, note?: string): Promise<Probe> {
    const probe = this.gateway.probes[plugin];
    const before = probe.ended('rewrite');
    await this.gateway.configure(probeConfig(plugin, this.places, note));
    // What told that the configuration is there has a log phase, which must not meet the next script.
    await within(
      2000,
      () => probe.ended('rewrite') > before && probe.ended('log') === probe.ended('rewrite'),
    );
    await quiet(probe);
    return probe;
  }

  /** The recorded request over HTTP, or over TLS. */
  request(options: ExchangeOptions & { body?: { type: string; body: string } } = {}): Promise<RawAnswer> {
    const { proxy, proxyTls } = this.gateway;
    return exchange(options.tls ? (proxyTls ?? proxy) : proxy, recordedRequest(options.body), options);
  }

  /** Two bytes to the stream listener and back; what came. */
  async connect(): Promise<string> {
    const { stream } = this.gateway;
    if (stream === null) return '';
    return new Promise((resolve) => {
      const socket = net.connect(stream);
      let got = '';
      const timer = setTimeout(() => socket.destroy(), 1000);
      socket.setEncoding('latin1').on('data', (piece: string) => {
        got += piece;
        socket.end();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearTimeout(timer);
        resolve(got);
      });
      socket.write('hi');
    });
  }

  /** Ends what it opened; the gateway stays. */
  async close(): Promise<void> {
    await this.upstream.close();
    await new Promise<void>((resolve) => this.#echo.close(() => resolve()));
  }
}
