import { messageOf } from '../../errors.ts';
import type { Phase, Protocol } from '../../pdk/phases.ts';
import type { Exchange } from '../gateway/exchange.ts';
import type { BoundPlugin, PhaseOutcome, PluginHandler } from '../gateway/plugins.ts';
import type { SandboxLog } from '../gateway/log.ts';
import { callFunction } from '../pdk/call.ts';
import type { ClientOptions, PluginClient } from './client.ts';
import { PdkExit, RpcFailure } from './failure.ts';
import { InstanceTable } from './instances.ts';
import { MsgpackClient } from './msgpack-client.ts';
import { ProtobufClient } from './protobuf-client.ts';
import type { DumpedPlugin } from './dump.ts';

/** Real Kong retries without end; the sandbox gives up so that no request hangs. */
const maxRetries = 10;

/** Log events that may wait at once (Kong's lua_max_pending_timers); more are dropped with an error line. */
const maxPendingLogs = 16_384;

interface WorkerSide {
  readonly client: PluginClient;
  readonly instances: InstanceTable;
}

/** A plugin at the other end of a plugin server's socket, with Kong's rules for failures. */
export class RemotePlugin implements PluginHandler {
  readonly name: string;
  readonly version: string;
  readonly priority: number;
  readonly protocol: Protocol;
  readonly phases: ReadonlySet<string>;
  private readonly log: SandboxLog;
  private readonly options: ClientOptions;
  /** One per simulated nginx worker and subsystem. */
  private readonly sides = new Map<string, WorkerSide>();
  /** Clients of before the last reload, whose events may still be in flight. */
  private readonly old = new Set<PluginClient>();
  private pendingLogs = 0;

  constructor(dump: DumpedPlugin, options: ClientOptions, log: SandboxLog) {
    this.name = dump.name;
    this.version = dump.version;
    this.priority = dump.priority;
    this.protocol = dump.protocol;
    this.phases = new Set(dump.phases);
    this.options = options;
    this.log = log;
  }

  async run(phase: Phase, exchange: Exchange, plugin: BoundPlugin): Promise<PhaseOutcome> {
    if (phase !== 'log') return this.runEvent(phase, exchange, plugin);
    if (this.pendingLogs >= maxPendingLogs) {
      this.log('alert', `[${this.name}] ${String(maxPendingLogs)} log events are pending already: dropped`);
      return 'continue';
    }
    this.pendingLogs++;
    try {
      return await this.runEvent(phase, exchange, plugin);
    } finally {
      this.pendingLogs--;
    }
  }

  retain(pluginIds: ReadonlySet<string>): void {
    for (const side of this.sides.values()) side.instances.retain(pluginIds);
  }

  /** Forgets all instances: the next event starts anew, those in flight end where they are. */
  reset(): void {
    for (const client of this.old) client.close();
    this.old.clear();
    for (const side of this.sides.values()) {
      side.client.drain();
      this.old.add(side.client);
    }
    this.sides.clear();
  }

  /** Ends all connections to the server. */
  close(): void {
    for (const client of [...this.old, ...[...this.sides.values()].map((side) => side.client)])
      client.close();
    this.old.clear();
  }

  private async runEvent(phase: Phase, exchange: Exchange, plugin: BoundPlugin): Promise<PhaseOutcome> {
    const { client, instances } = this.side(exchange);
    const call = { phase, exchange, plugin, protocol: this.protocol };
    for (let attempt = 0; ; attempt++) {
      let id: number;
      try {
        id = await instances.idFor(plugin);
      } catch (error) {
        return this.fail(phase, exchange, `starting instance on ${this.options.path}: ${messageOf(error)}`);
      }
      try {
        await client.handleEvent(id, phase, (method, args) => callFunction(call, method, args));
        return 'continue';
      } catch (error) {
        if (error instanceof PdkExit) return 'exit';
        if (!(error instanceof RpcFailure)) return this.fail(phase, exchange, messageOf(error));
        const text = error.message.toLowerCase();
        const unknown =
          text.includes('no plugin instance') || (this.protocol === 'protobuf' && text.includes('closed'));
        if (unknown && attempt < maxRetries) {
          this.log('warn', `[${this.name}] ${phase}: ${error.message}`);
          instances.reset();
          continue;
        }
        if (unknown)
          return this.fail(
            phase,
            exchange,
            `${error.message}, ${String(maxRetries)} times in a row; Kong itself would retry without end`,
          );
        if (this.protocol === 'protobuf')
          return this.fail(phase, exchange, `pluginserver error on ${this.options.path}: ${error.message}`);
        this.log(
          'error',
          `[${this.name}] ${phase}: ${error.message}; the request goes on without the plugin`,
        );
        return 'continue';
      }
    }
  }

  private fail(phase: Phase, exchange: Exchange, message: string): PhaseOutcome {
    this.log('error', `[${this.name}] ${phase}: ${message}`);
    if (phase !== 'log') exchange.abort(500);
    return 'exit';
  }

  private side(exchange: Exchange): WorkerSide {
    const key = `${exchange.subsystem}:${String(exchange.worker)}`;
    let side = this.sides.get(key);
    if (side === undefined) {
      const client: PluginClient =
        this.protocol === 'protobuf'
          ? new ProtobufClient(this.options)
          : new MsgpackClient(this.options, () => side?.instances.reset());
      side = { client, instances: new InstanceTable(client, this.log) };
      this.sides.set(key, side);
    }
    return side;
  }
}
