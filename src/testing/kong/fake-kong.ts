import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Protocol } from '../../pdk/names/index.ts';
import type { LogView } from '../results.ts';
import { misuse } from '../misuse.ts';
import { FakeInstance } from './fake-instance.ts';
import { KongSide } from './kong-side.ts';
import { LogLines } from './log-lines.ts';
import type { Observer } from './observer.ts';
import { TrafficCounter } from './traffic.ts';
import type { WireChunk } from './wire-tap.ts';
import { WireTap } from './wire-tap.ts';
import type { PluginIdentity, InstanceOptions } from './fake-instance.ts';

/** Options of a fake Kong. */
export interface FakeKongOptions {
  /** Path of the plugin server's unix socket. */
  readonly socket: string;
  /**
   * The protocol to speak: what the plugin's dump says. `protobuf` is ProtoBuf:1, `msgpack` MsgPack:1. A plugin can have
   * another one, see `startInstance`.
   */
  readonly protocol: Protocol;
  /** How long the server may take for one answer, in milliseconds. Default 30,000 (Kong: 60,000). */
  readonly timeout?: number;
  /** Largest message that is taken from the server, in bytes. Default 64 MiB. */
  readonly maxMessageBytes?: number;
}

/**
 * Kong's side of a plugin server's socket: speaks either protocol to a real server as one nginx worker of Kong 3.9.3
 * does (connections that all plugins share, length and body in separate writes, StartInstance with Kong's `__` fields on first use,
 * retries where the server does not know an instance), without nginx, and records what happens.
 */
export class FakeKong {
  readonly protocol: Protocol;
  readonly socket: string;
  readonly #side: KongSide;
  readonly #tap: WireTap;
  readonly #lines = new LogLines();
  readonly #counter = new TrafficCounter();
  readonly #prefix: string;
  #closed = false;

  constructor(options: FakeKongOptions) {
    const { protocol, socket } = options as { protocol: unknown; socket: unknown };
    if (protocol !== 'protobuf' && protocol !== 'msgpack') {
      throw misuse(`The protocol is ${JSON.stringify(protocol)}.`, 'It is "protobuf" or "msgpack".');
    }
    if (typeof socket !== 'string' || socket === '') {
      throw misuse(
        'A fake Kong needs the path of a socket.',
        "Write new FakeKong({ socket: '/path', protocol }).",
      );
    }
    this.protocol = protocol;
    this.socket = socket;
    this.#tap = new WireTap(this.#counter);
    this.#prefix = makePrefix(socket);
    this.#side = new KongSide({
      socket,
      protocol,
      timeoutMs: options.timeout ?? 30_000,
      maxMessageBytes: options.maxMessageBytes ?? 64 * 1024 * 1024,
      log: this.#lines.kong,
      tap: this.#tap,
    });
  }

  /** All bytes so far, as they were written and read. */
  get wire(): readonly WireChunk[] {
    return this.#tap.chunks;
  }

  /** Every line of Kong's error log so far. */
  get logs(): readonly LogView[] {
    return this.#lines.since(0);
  }

  /**
   * Configures a plugin and starts its instance (Kong: on first use).
   * @throws KongTsError CONFIG_INVALID when Kong's schema refuses the configuration (of a plugin whose schema is
   *   known), PLUGIN_SERVER_UNREACHABLE when the server cannot be reached or refuses the instance
   */
  async startInstance(plugin: PluginIdentity, options: InstanceOptions = {}): Promise<FakeInstance> {
    if (this.#closed) throw misuse('This fake Kong is closed.', 'Make another one.');
    const instance = new FakeInstance(plugin, options, this.#side, this.#prefix, this.#observer());
    await instance.start();
    return instance;
  }

  /** Ends all connections and removes what it has kept on disk. */
  close(): void {
    this.#closed = true;
    this.#side.close();
    removePrefix(this.#prefix);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #observer(): Observer {
    return {
      kongLog: this.#lines.kong,
      begin: () => {
        const { length } = this.#lines;
        this.#counter.start();
        return {
          end: async () => ({
            error: null,
            logs: this.#lines.since(length),
            events: [],
            ...this.#counter.traffic,
          }),
        };
      },
    };
  }
}

/** A folder for bodies, where a server beside the socket looks for them: it takes the socket's place for Kong's prefix. */
function makePrefix(socket: string): string {
  const bodies = path.join(path.dirname(path.resolve(socket)), bodyFolder);
  try {
    mkdirSync(bodies, { recursive: true });
    return mkdtempSync(path.join(bodies, 'kong-ts-fake-'));
  } catch {
    return mkdtempSync(path.join(tmpdir(), 'kong-ts-fake-'));
  }
}

const bodyFolder = 'client_body_temp';

function removePrefix(prefix: string): void {
  rmSync(prefix, { recursive: true, force: true });
  const parent = path.dirname(prefix);
  if (path.basename(parent) !== bodyFolder) return;
  try {
    rmdirSync(parent);
  } catch {
    // Another Kong keeps bodies there, too.
  }
}
