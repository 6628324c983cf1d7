import type { Exchange } from '../request/exchange.ts';
import type { SandboxLog } from '../request/log.ts';
import { Coroutines } from './coroutines.ts';
import { RunningInstances } from './instances.ts';
import { ConnectionPool } from './pool.ts';

/** The parts that all external plugins share in one nginx worker: connections, instances and coroutines. */
export class NginxWorker {
  readonly coroutines = new Coroutines();
  readonly instances: RunningInstances;
  readonly #timeoutMs: number;
  readonly #pools = new Map<string, ConnectionPool>();
  #retired = false;

  /** @param timeoutMs how long connecting may take, in milliseconds */
  constructor(log: SandboxLog, timeoutMs: number) {
    this.instances = new RunningInstances(log);
    this.#timeoutMs = timeoutMs;
  }

  /** The pool of a socket path: the same for every plugin, server name and protocol. */
  poolOf(path: string): ConnectionPool {
    let pool = this.#pools.get(path);
    if (pool === undefined) {
      pool = new ConnectionPool({ path, timeoutMs: this.#timeoutMs });
      if (this.#retired) pool.drain();
      this.#pools.set(path, pool);
    }
    return pool;
  }

  /** Whether an event is using a connection. */
  get isBusy(): boolean {
    return [...this.#pools.values()].some((pool) => pool.isBusy);
  }

  /** Lets events in flight end, then has no connections any more. */
  retire(): void {
    this.#retired = true;
    for (const pool of this.#pools.values()) pool.drain();
  }

  /** Ends all connections, also those in use. */
  close(): void {
    this.retire();
    for (const pool of this.#pools.values()) pool.close();
  }
}

/** The simulated nginx workers of a gateway, made on first use. */
export class NginxWorkers {
  readonly #log: SandboxLog;
  readonly #timeoutMs: number;
  /** One per worker and subsystem: HTTP and streams have each a Lua of their own. */
  readonly #present = new Map<string, NginxWorker>();
  /** Workers from before the last reloads. Their events may still be in flight. */
  readonly #old = new Set<NginxWorker>();

  constructor(log: SandboxLog, timeoutMs: number) {
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  of({ subsystem, worker: number }: Exchange): NginxWorker {
    const key = `${subsystem}:${String(number)}`;
    let worker = this.#present.get(key);
    if (worker === undefined) {
      worker = new NginxWorker(this.#log, this.#timeoutMs);
      this.#present.set(key, worker);
    }
    return worker;
  }

  /** One worker has heard that a server does not know an instance, and tells it to all. */
  resetInstances(pluginName: string): void {
    for (const worker of [...this.#present.values(), ...this.#old]) worker.instances.reset(pluginName);
  }

  retain(pluginIds: ReadonlySet<string>): void {
    for (const worker of this.#present.values()) worker.instances.retain(pluginIds);
  }

  /**
   * As after a reload: new workers without connections and instances. Events in flight end on the old ones, however
   * many reloads follow, because Kong sets no worker_shutdown_timeout, and so nginx waits for them.
   */
  renew(): void {
    for (const worker of this.#old) if (!worker.isBusy) this.#old.delete(worker);
    for (const worker of this.#present.values()) {
      worker.retire();
      this.#old.add(worker);
    }
    this.#present.clear();
  }

  close(): void {
    for (const worker of [...this.#present.values(), ...this.#old]) worker.close();
    this.#old.clear();
  }
}
