import type { Protocol } from '../../../src/pdk/names/phases.ts';
import type { PluginClient } from '../../../src/kong-end/plugin-server/client.ts';
import { PdkExit, RpcFailure } from '../../../src/kong-end/plugin-server/failure.ts';
import { clientFor } from '../../../src/kong-end/plugin-server/remote-plugin.ts';
import { NginxWorker } from '../../../src/kong-end/plugin-server/worker.ts';
import { messageOf } from '../../../src/base/errors.ts';

/** An event that failed for the client of Kong: a 500; in a log phase, something that raises in Kong's timer. */
export class EventFailed extends Error {}

const limits = { timeoutMs: 30_000, maxMessageBytes: 64 * 1024 * 1024 };

/** Kong itself tries an event again without end. */
const mostRetries = 50;

export interface EventResult {
  /** Names of the PDK calls in their order. */
  calls: string[];
}

/**
 * One nginx worker of Kong 3.9.3 at the socket of a plugin server, speaking one protocol: the connection that was given
 * back last is taken first, whichever protocol it carried; an event is tried anew with a new instance after "closed"
 * (ProtoBuf:1) or "No plugin instance"; anything else is a 500 over ProtoBuf:1, and over MsgPack:1 an event without the
 * plugin. A StartInstance that is not answered is a 500 over both.
 */
export class KongClient {
  readonly path: string;
  /** Results by function name; every other call gets nil. */
  readonly results: Record<string, unknown> = {};
  /** Results by function name that depend on the arguments; they come first. */
  readonly answers: Record<string, (args: readonly unknown[]) => unknown> = {};
  /** How often an event was tried anew. */
  retries = 0;
  /** PDK calls answered. */
  answered = 0;
  /** Arguments of the last one of them. */
  lastArguments: readonly unknown[] = [];
  /** Why Kong has gone on without the plugin, over MsgPack:1. */
  readonly skipped: string[] = [];
  readonly protocol: Protocol;
  #nginx: NginxWorker;
  #client: PluginClient;
  readonly #old: NginxWorker[] = [];
  readonly #instances = new Map<string, Promise<number>>();

  /** @param beside a client in the same nginx worker: both use the same connections */
  constructor(path: string, protocol: Protocol = 'protobuf', beside?: KongClient) {
    this.path = path;
    this.protocol = protocol;
    this.#nginx = beside === undefined ? new NginxWorker(() => undefined, limits.timeoutMs) : beside.#nginx;
    this.#client = clientFor(protocol, this.#nginx, { path, ...limits });
  }

  /** Runs one event, with all that belongs to it. @throws EventFailed where the client of Kong would see a 500 */
  async event(plugin: string, config: object, phase: string): Promise<EventResult> {
    for (let attempt = 0; attempt < mostRetries; attempt++) {
      const id = await this.instance(plugin, config);
      const calls: string[] = [];
      const failure = await this.#run(id, phase, calls);
      if (failure === null) return { calls };
      if (!forgotten(failure, this.protocol)) return this.#failed(failure, calls);
      this.retries++;
      this.#instances.clear();
    }
    throw new EventFailed(`retried ${String(mostRetries)} times`);
  }

  /** The id of the instance for a configuration; started when there is none. */
  async instance(plugin: string, config: object): Promise<number> {
    const key = JSON.stringify([plugin, config]);
    let id = this.#instances.get(key);
    if (id === undefined) {
      id = this.start(plugin, config);
      this.#instances.set(key, id);
      id.catch(() => this.#instances.delete(key));
    }
    return id;
  }

  /** @throws EventFailed where Kong would answer 500 */
  async start(plugin: string, config: object): Promise<number> {
    let id: number | null;
    try {
      id = await this.#client.startInstance(plugin, JSON.stringify(config));
    } catch (error) {
      throw new EventFailed(`starting instance: ${messageOf(error)}`, { cause: error });
    }
    if (id === null) throw new EventFailed('StartInstance was answered without an id');
    return id;
  }

  /** One HandleEvent on an instance, tried once. @throws EventFailed */
  async handle(instanceId: number, phase: string): Promise<EventResult> {
    const calls: string[] = [];
    const failure = await this.#run(instanceId, phase, calls);
    if (failure !== null) return this.#failed(failure, calls);
    return { calls };
  }

  /** The next event opens a connection, as a new nginx worker does. */
  forgetConnections(): void {
    this.#nginx.retire();
    this.#old.push(this.#nginx);
    this.#nginx = new NginxWorker(() => undefined, limits.timeoutMs);
    this.#client = clientFor(this.protocol, this.#nginx, { path: this.path, ...limits });
  }

  close(): void {
    for (const nginx of [this.#nginx, ...this.#old]) nginx.close();
  }

  /** @returns why Kong has no answer; null when the event has ended */
  async #run(id: number, phase: string, calls: string[]): Promise<string | null> {
    try {
      await this.#client.handleEvent(id, phase, (method, args) => {
        calls.push(method);
        if (method === 'kong.response.exit') throw new PdkExit('the request has ended');
        this.answered++;
        this.lastArguments = args;
        return this.answers[method]?.(args) ?? this.results[method] ?? null;
      });
      return null;
    } catch (error) {
      if (error instanceof PdkExit) return null;
      if (error instanceof RpcFailure) return error.message;
      throw new EventFailed(messageOf(error), { cause: error });
    }
  }

  /** @throws EventFailed over ProtoBuf:1 */
  #failed(failure: string, calls: string[]): EventResult {
    if (this.protocol === 'protobuf') throw new EventFailed(failure);
    this.skipped.push(failure);
    return { calls };
  }
}

function forgotten(failure: string, protocol: Protocol): boolean {
  const text = failure.toLowerCase();
  return text.includes('no plugin instance') || (protocol === 'protobuf' && text.includes('closed'));
}

/** Runs events on several connections until told to stop; counts what went well and what did not. */
export class Load {
  done = 0;
  readonly failures: string[] = [];
  #stopped = false;
  readonly #loops: Promise<void>[];

  constructor(concurrency: number, one: () => Promise<unknown>) {
    this.#loops = Array.from({ length: concurrency }, async () => {
      while (!this.#stopped) {
        try {
          await one();
          this.done++;
          // Enough load to always have events in flight, not so much that the servers starve.
          await new Promise((resolve) => setTimeout(resolve, 1));
        } catch (error) {
          this.failures.push(error instanceof Error ? error.message : String(error));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }
}
