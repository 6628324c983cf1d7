import { lookAtRuntime, receiveForwardedStep, serveConnection } from '../connection/index.ts';
import type { ConnectionHandle, ForwardedAnswer, ForwardedStep } from '../connection/index.ts';
import { InFlightRegister } from '../in-flight/register.ts';
import type { Beat, LoadReport, Parting, Withheld, WorkerReport } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { Connection } from '../../unix/claim.ts';
import { Activity } from './activity.ts';
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

/** A connection that is let fade ends when Kong has not used it for this long, in milliseconds. */
const quiet = 1000;

/** Between the ends of two connections, and for all of them, in milliseconds. */
const mostPause = 5;
const longestParting = 300;

interface Served {
  readonly handle: ConnectionHandle;
  part(parting: 'close' | 'hand over'): void;
}

/** Loads plugins and serves connections: what a worker process does, and a server without workers. */
export class PluginWorker {
  readonly options: CompiledServerOptions;
  readonly hooks: HooksLink;
  readonly inFlight = new InFlightRegister();
  readonly #log: ServerLog;
  readonly #plugins: PluginSet;
  readonly #host: WorkerHost;
  readonly #connections = new Set<Served>();
  readonly #loopDelay = measureLoopDelay();
  #parting: Parting | null = null;

  constructor(start: PluginWorkerOptions) {
    const { options, log } = start;
    this.options = options;
    this.#log = log;
    this.hooks = new HooksLink(options.eventHooks !== 'off', log, options.secretFiles.hooksToken);
    this.#plugins = new PluginSet(options.plugins, async (spec) => {
      const { loadPlugin } = await import('../../plugin/loader.ts');
      return loadPlugin(spec, { cwd: options.cwd });
    });
    this.#host = new WorkerHost({
      ...start,
      plugins: this.#plugins,
      hooks: this.hooks,
      inFlight: this.inFlight,
    });
  }

  async load(): Promise<LoadReport> {
    await this.#plugins.load();
    return {
      plugins: this.#plugins.summaries(),
      failures: this.#plugins.failures,
      usesEventHooks: this.hooks.used,
    };
  }

  /** Log events of a configuration end without running for a while. */
  withhold(withheld: Withheld): void {
    this.#host.withhold(withheld);
  }

  /**
   * Serves a connection until it is closed, or given back to the supervisor, which has a copy of it.
   * @param ticket its number at the supervisor, more than 0
   */
  async serve(socket: Connection, ticket = 0): Promise<'closed' | 'released'> {
    const handle = serveConnection(socket, this.#host, ticket);
    let released = Promise.resolve(false);
    const part = (parting: 'close' | 'hand over') => {
      if (parting === 'hand over') released = handle.release();
      else void handle.drain();
    };
    const connection: Served = { handle, part };
    this.#connections.add(connection);
    if (this.#parting !== null && this.#parting !== 'let fade') part(this.#parting);
    await handle.closed;
    this.#connections.delete(connection);
    return (await released) ? 'released' : 'closed';
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

  report(): WorkerReport {
    return { beat: this.beat(), metrics: this.#host.pluginMetrics.toJson() };
  }

  step(step: ForwardedStep): Promise<ForwardedAnswer> {
    return receiveForwardedStep(this.#host, step);
  }

  /** Kong has closed an instance, on another worker. */
  forget(id: number): void {
    this.#host.forget(id);
  }

  /** Whether events have not ended, or have ended and Kong has yet to fetch what they said last. */
  #running(): boolean {
    const { events, steppedEvents } = lookAtRuntime(this.#host);
    return events + steppedEvents > 0;
  }

  /** MsgPack:1 events may outlive the connections of this worker: their steps come over other workers. */
  async #eventsEnded(limit: number): Promise<void> {
    const end = Date.now() + limit;
    while (this.#running() && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /**
   * Lets events in flight finish, parts with the connections and then closes the configurations, so that plugins can
   * flush.
   * @param limit for each of both, in milliseconds
   */
  async drain(limit: number, parting: Parting): Promise<void> {
    this.#parting = parting;
    if (parting === 'let fade') await this.#fade(limit);
    const rest = parting === 'hand over' ? parting : 'close';
    this.#parting = rest;
    void this.#partWithAll(rest);
    if (!(await within(limit, this.#parted(limit, rest)))) {
      this.#log.error('events in flight did not finish in time and are given up', {
        connections: this.#connections.size,
        limitMs: limit,
      });
      for (const { handle } of this.#connections) handle.destroy();
    }
    if (!(await within(limit, this.#host.close(limit)))) {
      this.#log.error('plugins did not flush in time; what they still held is lost', { limitMs: limit });
    }
    await within(limit, this.hooks.close(limit));
    this.#loopDelay.stop();
  }

  /**
   * Ends connections one after the other: an event that crosses the end of its connection is tried again by Kong, and starts
   * its instance on another one, where an end that crosses once more would be a 500. Until its turn each one is served.
   */
  async #partWithAll(parting: 'close' | 'hand over'): Promise<void> {
    const connections = [...this.#connections];
    const pause = parting === 'close' ? Math.min(mostPause, longestParting / connections.length) : 0;
    for (const connection of connections) {
      connection.part(parting);
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** Resolves when every connection has been parted with and no event runs any more. */
  async #parted(limit: number, rest: 'close' | 'hand over'): Promise<void> {
    await Promise.all([
      ...[...this.#connections].map(({ handle }) => handle.closed),
      this.#eventsEnded(limit).then(() => {
        for (const connection of this.#connections)
          connection.part(this.#parting === 'close' ? 'close' : rest);
      }),
    ]);
    // One may have begun on a connection that has gone on to another worker meanwhile: its steps come from there.
    await this.#eventsEnded(limit);
  }

  /** Ends connections as soon as no event runs on them, whatever was to become of them. */
  hurry(): void {
    this.#parting = 'close';
    void this.#partWithAll('close');
  }

  /** Ends connections that Kong has stopped using; resolves when none is left, or the time is over. */
  async #fade(limit: number): Promise<void> {
    const activity = new Activity();
    const end = Date.now() + limit;
    while (this.#parting === 'let fade' && this.#connections.size > 0 && Date.now() < end) {
      for (const connection of this.#connections) {
        if (activity.quietFor(connection.handle, Date.now()) >= quiet) connection.part('close');
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
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
