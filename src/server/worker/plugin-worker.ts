import { lookAtRuntime, receiveForwardedStep, serveConnection } from '../connection/index.ts';
import type { ConnectionHandle, ForwardedAnswer, ForwardedStep } from '../connection/index.ts';
import type { Beat, LoadReport } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import type { MetricJson } from '../metrics/metric-json.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { Connection } from '../socket/claim.ts';
import { HooksLink } from './hooks-link.ts';
import type { WorkerLink } from './link.ts';
import { measureLoopDelay } from './loop-delay.ts';
import { PluginSet } from './plugin-set.ts';
import { WorkerHost } from './worker-host.ts';

export interface PluginWorkerOptions {
  readonly options: CompiledServerOptions;
  readonly slot: number;
  readonly count: number;
  readonly uid: number;
  readonly link: WorkerLink;
  readonly log: ServerLog;
}

/** Loads plugins and serves connections: what a worker process does, and a server without workers. */
export class PluginWorker {
  readonly options: CompiledServerOptions;
  readonly hooks: HooksLink;
  readonly #log: ServerLog;
  readonly #plugins: PluginSet;
  readonly #host: WorkerHost;
  readonly #connections = new Set<ConnectionHandle>();
  readonly #loopDelay = measureLoopDelay();
  #draining = false;

  constructor(start: PluginWorkerOptions) {
    const { options, log } = start;
    this.options = options;
    this.#log = log;
    this.hooks = new HooksLink(options.eventHooks !== 'off', log);
    this.#plugins = new PluginSet(options.plugins, async (spec) => {
      const { loadPlugin } = await import('../../plugin/loader.ts');
      return loadPlugin(spec, { cwd: options.cwd });
    });
    this.#host = new WorkerHost({ ...start, plugins: this.#plugins, hooks: this.hooks });
  }

  async load(): Promise<LoadReport> {
    await this.#plugins.load();
    return {
      plugins: this.#plugins.summaries(),
      failures: this.#plugins.failures,
      usesEventHooks: this.hooks.used,
    };
  }

  /** Serves a connection until it is closed. */
  async serve(socket: Connection): Promise<void> {
    const connection = serveConnection(socket, this.#host);
    this.#connections.add(connection);
    if (this.#draining) void connection.drain();
    await connection.closed;
    this.#connections.delete(connection);
  }

  beat(): Beat {
    return {
      rss: process.memoryUsage.rss(),
      loopDelay: this.#loopDelay.take(),
      connections: this.#connections.size,
      instances: this.#host.instances,
      usesEventHooks: this.hooks.used,
      stats: this.#host.stats,
    };
  }

  metrics(): MetricJson[] {
    return this.#host.pluginMetrics.toJson();
  }

  step(step: ForwardedStep): Promise<ForwardedAnswer> {
    return receiveForwardedStep(this.#host, step);
  }

  /** Kong has closed an instance, on another worker. */
  forget(id: number): void {
    this.#host.forget(id);
  }

  /** MsgPack:1 events may outlive the connections of this worker: their steps come over other workers. */
  async #eventsEnded(limit: number): Promise<void> {
    const end = Date.now() + limit;
    while (lookAtRuntime(this.#host).events > 0 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /**
   * Lets events in flight finish, closes the connections and then the configurations, so that plugins can flush.
   * @param limit for each of both, in milliseconds
   */
  async drain(limit: number): Promise<void> {
    this.#draining = true;
    const closing = Promise.all([
      ...[...this.#connections].map((connection) => connection.drain()),
      this.#eventsEnded(limit),
    ]);
    if (!(await within(limit, closing))) {
      this.#log.error('events in flight did not finish in time and are given up', {
        connections: this.#connections.size,
        limitMs: limit,
      });
      for (const connection of this.#connections) connection.destroy();
    }
    if (!(await within(limit, this.#host.close(limit)))) {
      this.#log.error('plugins did not flush in time; what they still held is lost', { limitMs: limit });
    }
    await within(limit, this.hooks.close(limit));
    this.#loopDelay.stop();
  }
}

/** False when it does not settle in time. */
async function within(limit: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, limit);
  });
  try {
    return await Promise.race([
      work.then(
        () => true,
        () => true,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
