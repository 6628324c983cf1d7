import type { Protocol } from '../../pdk/phases.ts';
import { uuidOf } from '../../sandbox/gateway/ids.ts';
import type { SandboxLog } from '../../sandbox/gateway/log.ts';
import type { PluginClient } from '../../sandbox/plugin-server/client.ts';
import { InstanceTable } from '../../sandbox/plugin-server/instances.ts';
import { MsgpackClient } from '../../sandbox/plugin-server/msgpack-client.ts';
import { ProtobufClient } from '../../sandbox/plugin-server/protobuf-client.ts';
import type { WireTap } from './wire-tap.ts';

/** Where and how the plugin server is talked to. */
export interface KongSideOptions {
  readonly socket: string;
  readonly protocol: Protocol;
  /** Milliseconds. */
  readonly timeout: number;
  readonly maxMessageBytes: number;
  readonly log: SandboxLog;
  readonly tap: WireTap;
}

/** One nginx worker's connections and instances of one plugin server. */
export class KongSide {
  readonly protocol: Protocol;
  readonly socket: string;
  readonly client: PluginClient;
  readonly instances: InstanceTable;
  /** Ids of the plugin entities that are configured. */
  readonly pluginIds = new Set<string>();
  readonly #tap: WireTap;
  #sequence = 0;
  #configured = 0;
  #closed = false;

  constructor(options: KongSideOptions) {
    this.protocol = options.protocol;
    this.socket = options.socket;
    this.#tap = options.tap;
    const client = {
      path: options.socket,
      timeoutMs: options.timeout,
      maxMessageBytes: options.maxMessageBytes,
    };
    this.client =
      options.protocol === 'protobuf'
        ? new ProtobufClient(client)
        : new MsgpackClient(client, () => this.instances.reset());
    this.instances = new InstanceTable(this.client, options.log);
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
    this.instances.retain(this.pluginIds);
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
    this.client.close();
  }
}
