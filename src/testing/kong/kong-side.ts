import { uuidOf } from '../../base/uuid.ts';
import type { Protocol } from '../../pdk/names/index.ts';
import { NginxWorker, clientFor } from '../../kong-end/index.ts';
import type { PluginClient, SandboxLog } from '../../kong-end/index.ts';
import type { WireTap } from './wire-tap.ts';

/** Where and how the plugin server is talked to. `protocol` is that of plugins that have none of their own. */
export interface KongSideOptions {
  readonly socket: string;
  readonly protocol: Protocol;
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly maxMessageBytes: number;
  readonly log: SandboxLog;
  readonly tap: WireTap;
}

/** One nginx worker and what it knows of one plugin server. */
export class KongSide {
  readonly protocol: Protocol;
  readonly socket: string;
  readonly worker: NginxWorker;
  /** Ids of the plugin entities that are configured. */
  readonly pluginIds = new Set<string>();
  readonly #options: KongSideOptions;
  readonly #tap: WireTap;
  readonly #clients = new Map<string, PluginClient>();
  #sequence = 0;
  #configured = 0;
  #closed = false;

  constructor(options: KongSideOptions) {
    this.protocol = options.protocol;
    this.socket = options.socket;
    this.#options = options;
    this.#tap = options.tap;
    this.worker = new NginxWorker(options.log, options.timeoutMs);
  }

  /** Kong's client for a plugin. All of them use the same connections. */
  clientOf(name: string, protocol: Protocol): PluginClient {
    const key = `${protocol} ${name}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      const { socket, timeoutMs: timeout, maxMessageBytes } = this.#options;
      client = clientFor(protocol, this.worker, { path: socket, timeoutMs: timeout, maxMessageBytes });
      this.#clients.set(key, client);
    }
    return client;
  }

  /** Kong's `__seq__`: rises with each configuration. */
  nextSequence(): number {
    return ++this.#sequence;
  }

  /** The id of another plugin entity, always the same for the first, the second, ... */
  addPlugin(name: string, asked: string | undefined): string {
    const id = asked ?? uuidOf(`plugin ${name} ${String(++this.#configured)}`);
    this.pluginIds.add(id);
    return id;
  }

  /** The plugin entity is gone. */
  removePlugin(id: string): void {
    this.pluginIds.delete(id);
    this.worker.instances.retain(this.pluginIds);
  }

  /** Runs something that may open connections, so that their bytes are seen. */
  watch<Result>(run: () => Result): Result {
    return this.#tap.watch(run);
  }

  /** True once this Kong has been given up: nothing is tried again. */
  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.worker.close();
  }
}
