import { messageOf } from '../../base/errors.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import type { BoundPlugin, Exchange, PhaseOutcome, PluginHandler } from '../request/exchange.ts';
import type { SandboxLog } from '../request/log.ts';
import { callFunction } from '../pdk/call.ts';
import type { ClientOptions, PluginClient } from './client.ts';
import type { SavedRequest } from './coroutines.ts';
import type { DumpedPlugin } from './dump.ts';
import { PdkExit, PdkRejection } from './failure.ts';
import { handleEvent } from './handle-event.ts';
import { MsgpackClient } from './msgpack-client.ts';
import { ProtobufClient } from './protobuf-client.ts';
import type { NginxWorker, NginxWorkers } from './worker.ts';

/** Real Kong retries without end; the sandbox gives up so that no request hangs. */
const maxRetries = 10;

/** Log events that may wait at once (Kong's lua_max_pending_timers); more are dropped with an error line. */
const maxPendingLogs = 16_384;

/** A plugin at the other end of a plugin server's socket, with Kong's rules for failures. */
export class RemotePlugin implements PluginHandler {
  readonly name: string;
  readonly version: string;
  readonly priority: number;
  readonly protocol: Protocol;
  readonly phases: ReadonlySet<string>;
  readonly #log: SandboxLog;
  readonly #options: ClientOptions;
  readonly #workers: NginxWorkers;
  readonly #clients = new WeakMap<NginxWorker, PluginClient>();
  #pendingLogs = 0;

  constructor(dump: DumpedPlugin, options: ClientOptions, workers: NginxWorkers, log: SandboxLog) {
    this.name = dump.name;
    this.version = dump.version;
    this.priority = dump.priority;
    this.protocol = dump.protocol;
    this.phases = new Set(dump.phases);
    this.#options = options;
    this.#workers = workers;
    this.#log = log;
  }

  async run(phase: Phase, exchange: Exchange, plugin: BoundPlugin): Promise<PhaseOutcome> {
    const worker = this.#workers.of(exchange);
    try {
      if (phase === 'log') await this.#runTimer(worker, exchange, plugin);
      else
        await worker.coroutines.handler(phase, (saved) =>
          this.#runEvent(worker, phase, exchange, plugin, saved),
        );
      return 'continue';
    } catch (error) {
      if (error instanceof PdkExit) return 'exit';
      const where = error instanceof PdkRejection ? '' : this.#where();
      this.#log('error', `[${this.name}] ${phase}: ${messageOf(error)}${where}`);
      if (phase !== 'log') exchange.abort(500);
      return 'exit';
    }
  }

  retain(pluginIds: ReadonlySet<string>): void {
    this.#workers.retain(pluginIds);
  }

  /** If Kong raises in a log timer, the request is left behind: see Coroutines. */
  async #runTimer(worker: NginxWorker, exchange: Exchange, plugin: BoundPlugin): Promise<void> {
    if (this.#pendingLogs >= maxPendingLogs) {
      this.#log('alert', `[${this.name}] ${String(maxPendingLogs)} log events are pending already: dropped`);
      return;
    }
    this.#pendingLogs++;
    try {
      await worker.coroutines.timer({ pluginName: this.name, exchange }, (saved) =>
        this.#runEvent(worker, 'log', exchange, plugin, saved),
      );
    } finally {
      this.#pendingLogs--;
    }
  }

  /** @throws KongRaised, PdkExit */
  async #runEvent(
    worker: NginxWorker,
    phase: Phase,
    exchange: Exchange,
    plugin: BoundPlugin,
    saved: SavedRequest | null,
  ): Promise<void> {
    const call = { phase, exchange, plugin, protocol: this.protocol, saved };
    const served = {
      protocol: this.protocol,
      client: this.#clientOf(worker),
      instances: worker.instances,
      reset: (name: string) => this.#workers.resetInstances(name),
      mayRetry: (retries: number) => retries < maxRetries,
      warn: (message: string) => this.#log('warn', `[${this.name}] ${phase}: ${message}`),
    };
    const failure = await handleEvent(served, plugin, phase, (method, args) =>
      callFunction(call, method, args),
    );
    if (failure !== null)
      this.#log(
        'error',
        `[${this.name}] ${phase}: ${failure}${this.#where()}; the request goes on without the plugin`,
      );
  }

  #where(): string {
    return ` (${this.#options.path})`;
  }

  #clientOf(worker: NginxWorker): PluginClient {
    let client = this.#clients.get(worker);
    if (client === undefined) {
      client = clientFor(this.protocol, worker, this.#options);
      this.#clients.set(worker, client);
    }
    return client;
  }
}

/** Kong's side of a protocol for one plugin in one worker. */
export function clientFor(protocol: Protocol, worker: NginxWorker, options: ClientOptions): PluginClient {
  const pool = worker.poolOf(options.path);
  if (protocol === 'protobuf') return new ProtobufClient(pool, options);
  const client: PluginClient = new MsgpackClient(pool, options, () => worker.instances.resetServer(client));
  return client;
}
