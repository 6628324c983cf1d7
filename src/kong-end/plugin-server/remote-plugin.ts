import { messageOf } from '../../base/errors.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import type { BoundPlugin, Exchange, PhaseOutcome, PluginHandler } from '../request/exchange.ts';
import type { SandboxLog } from '../request/log.ts';
import type { EventMeter } from '../request/phase-report.ts';
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

interface RunningEvent {
  readonly phase: Phase;
  readonly exchange: Exchange;
  readonly plugin: BoundPlugin;
  readonly saved: SavedRequest | null;
  readonly meter: EventMeter;
}

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
    const meter = { calls: 0, frames: 0 };
    const begun = performance.now();
    let failure: string | null = null;
    try {
      if (phase === 'log') failure = await this.#runTimer(worker, exchange, plugin, meter);
      else
        failure = await worker.coroutines.handler(phase, (saved) =>
          this.#runEvent(worker, { phase, exchange, plugin, saved, meter }),
        );
      return 'continue';
    } catch (error) {
      if (error instanceof PdkExit) return 'exit';
      failure = messageOf(error);
      const where = error instanceof PdkRejection ? '' : this.#where();
      this.#log('error', `[${this.name}] ${phase}: ${failure}${where}`);
      if (phase !== 'log') exchange.abort(500);
      return 'exit';
    } finally {
      const ms = performance.now() - begun;
      exchange.phaseReports?.push({ plugin: this.name, phase, ms, ...meter, failure });
    }
  }

  retain(pluginIds: ReadonlySet<string>): void {
    this.#workers.retain(pluginIds);
  }

  /** If Kong raises in a log timer, the request is left behind: see Coroutines. */
  async #runTimer(
    worker: NginxWorker,
    exchange: Exchange,
    plugin: BoundPlugin,
    meter: EventMeter,
  ): Promise<string | null> {
    if (this.#pendingLogs >= maxPendingLogs) {
      this.#log('alert', `[${this.name}] ${String(maxPendingLogs)} log events are pending already: dropped`);
      return 'too many log events are pending';
    }
    this.#pendingLogs++;
    try {
      return await worker.coroutines.timer({ pluginName: this.name, exchange }, (saved) =>
        this.#runEvent(worker, { phase: 'log', exchange, plugin, saved, meter }),
      );
    } finally {
      this.#pendingLogs--;
    }
  }

  /**
   * @returns the failure with which the request goes on, null for none
   * @throws KongRaised, PdkExit
   */
  async #runEvent(
    worker: NginxWorker,
    { phase, exchange, plugin, saved, meter }: RunningEvent,
  ): Promise<string | null> {
    const call = { phase, exchange, plugin, protocol: this.protocol, saved };
    const served = {
      protocol: this.protocol,
      client: this.#clientOf(worker),
      instances: worker.instances,
      reset: (name: string) => this.#workers.resetInstances(name),
      mayRetry: (retries: number) => retries < maxRetries,
      warn: (message: string) => this.#log('warn', `[${this.name}] ${phase}: ${message}`),
      meter,
    };
    const failure = await handleEvent(served, plugin, phase, (method, args) => {
      meter.calls++;
      return callFunction(call, method, args);
    });
    if (failure !== null)
      this.#log(
        'error',
        `[${this.name}] ${phase}: ${failure}${this.#where()}; the request goes on without the plugin`,
      );
    return failure;
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
