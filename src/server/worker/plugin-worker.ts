import type { DumpDocument } from '../../plugin/index.ts';
import { late, within } from '../../base/within.ts';
import {
  giveUpSteps,
  lookAtRuntime,
  lookAtUnfinished,
  receiveForwardedStep,
  serveConnection,
} from '../connection/index.ts';
import type { ConnectionHandle, ForwardedAnswer, ForwardedStep } from '../connection/index.ts';
import { OpenRequests } from '../in-flight/open-requests.ts';
import { InFlightRegister } from '../in-flight/register.ts';
import { drainTerm, kongKeepsIdleMs, partingTerm } from '../ipc/drain-term.ts';
import type { Beat, LoadReport, Parting, Withheld, WorkerReport } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import { HandlerFailures } from '../metrics/handler-failures.ts';
import { eventsOf } from '../metrics/phase-stats.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { Connection } from '../../unix/index.ts';
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
  /** Where the supervisor finds what was in flight when this process is gone; null where nobody looks. */
  readonly inFlight: number | null;
}

/** How long Kong has not used a connection before it ends, in milliseconds. */
const rests = { close: 100, 'let go': 1000, 'let fade': kongKeepsIdleMs } as const;
/** How long a worker that closes still serves connections that come, in milliseconds. */
const lastOrdersMs = 2000;
/**
 * How long a worker that ends waits for the next step of an event while Kong has no connection to it, in milliseconds: Kong has it in
 * a moment, unless it is gone or has raised.
 */
const lonelyForMs = 2000;

/** Loads plugins and serves connections: what a worker process does, and a server without workers. */
export class PluginWorker {
  readonly options: CompiledServerOptions;
  readonly hooks: HooksLink;
  readonly inFlight = new InFlightRegister();
  readonly openRequests: OpenRequests;
  readonly #failures = new HandlerFailures();
  readonly #log: ServerLog;
  readonly #link: WorkerLink;
  readonly #plugins: PluginSet;
  readonly #host: WorkerHost;
  readonly #connections = new Set<ConnectionHandle>();
  readonly #loopDelay = measureLoopDelay();
  #parting: Parting | null = null;
  /** By when events and connections have to end, in milliseconds since 1970. */
  #until = Number.POSITIVE_INFINITY;
  #shut = false;
  /** No other worker and no other server reaches this one: the steps of its events come on the connections that it has. */
  alone = false;
  /** Steps that have come to other workers and are worked on here. */
  #forwarded = 0;

  constructor(start: PluginWorkerOptions) {
    const { options } = start;
    const log = this.#failures.listenTo(start.log);
    this.options = options;
    this.#log = log;
    this.#link = start.link;
    this.hooks = new HooksLink(options.eventHooks !== 'off', log, options.dispatcher);
    this.#plugins = new PluginSet(options.plugins, async (spec) => {
      const { loadPlugin } = await import('../../plugin/index.ts');
      return loadPlugin(spec, { cwd: options.cwd });
    });
    this.openRequests = new OpenRequests(start.inFlight);
    this.#host = new WorkerHost({
      ...start,
      log,
      plugins: this.#plugins,
      hooks: this.hooks,
      inFlight: this.inFlight,
      openRequests: this.openRequests,
    });
  }

  async load(): Promise<LoadReport> {
    if (this.options.watch) {
      const { recordReadFiles } = await import('../../plugin/index.ts');
      recordReadFiles((files) => this.#link.read(files));
    }
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

  /** True once this worker takes no new connections. */
  get shut(): boolean {
    return this.#shut;
  }

  /**
   * Serves a connection until it is closed, or given back to the supervisor, which has a copy of it.
   * @param ticket its number at the supervisor, more than 0
   * @param orphaned the worker that had it has died, maybe with a request of which nobody knows
   */
  async serve(socket: Connection, ticket = 0, orphaned = false): Promise<'closed' | 'released'> {
    if (this.#shut) {
      socket.destroy();
      return 'released';
    }
    const handle = serveConnection(socket, this.#host, ticket);
    this.#connections.add(handle);
    this.#part(handle);
    if (orphaned) partWithSilent(handle);
    await handle.closed;
    this.#connections.delete(handle);
    return handle.released ? 'released' : 'closed';
  }

  get pluginNames(): readonly string[] {
    return this.#host.pluginNames();
  }

  /** Events that have ended. */
  get events(): number {
    return eventsOf(this.#host.stats);
  }

  /** What was counted up to now. */
  get stats(): Beat['stats'] {
    return this.#host.stats;
  }

  beat(): Beat {
    const { bytes, closed } = lookAtUnfinished(this.#host);
    return {
      rss: process.memoryUsage.rss(),
      loopDelay: this.#loopDelay.take(),
      connections: this.#connections.size,
      unfinished: { bytes, closed },
      instances: this.#host.instances,
      usesEventHooks: this.hooks.used,
      stats: this.#host.stats,
    };
  }

  /** What Kong reads of each plugin. */
  dump(): readonly DumpDocument[] {
    return this.#plugins.documents();
  }

  report(): WorkerReport {
    const metrics = this.#host.pluginMetrics.toJson();
    return { beat: this.beat(), metrics, failures: this.#failures.list };
  }

  async step(step: ForwardedStep): Promise<ForwardedAnswer> {
    this.#forwarded++;
    try {
      return await receiveForwardedStep(this.#host, step);
    } finally {
      this.#forwarded--;
    }
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

  /**
   * Lets events in flight finish, parts with the connections and then closes the configurations, so that plugins can
   * flush.
   * @param limitMs for each of both, in milliseconds
   */
  async drain(limitMs: number, parting: Parting): Promise<void> {
    // Event hooks say what they lose before this process is ended, a second before `drainTerm`.
    const until = Date.now() + drainTerm(limitMs, parting) - 2000;
    this.hurry(limitMs, parting);
    if (!(await this.#parted())) {
      this.#log.error('events in flight did not finish in time and are given up', {
        connections: this.#connections.size,
        limitMs,
      });
      for (const handle of this.#connections) handle.giveUp();
      giveUpSteps(this.#host, 'the server ends');
    }
    this.#shut = true;
    if (!(await settles(limitMs, this.#host.close(2 * limitMs + 1)))) {
      this.#log.error('plugins did not flush in time; what they still held is lost', { limitMs });
    }
    const hooksMs = Math.min(limitMs, Math.max(0, until - Date.now()));
    await settles(hooksMs + 500, this.hooks.close(hooksMs));
    this.#loopDelay.stop();
  }

  /** Parts in this way from now on, in the time that belongs to it. */
  hurry(limit: number, parting: Parting): void {
    this.#parting = parting;
    this.#host.ends = parting !== 'hand over';
    this.#until = Math.min(this.#until, Date.now() + partingTerm(limit, parting));
    for (const handle of this.#connections) this.#part(handle);
  }

  /** The whole server ends, so Kong has no connections to another worker. */
  get #leaves(): boolean {
    return this.#parting === 'close' || this.#parting === 'let go';
  }

  #part(handle: ConnectionHandle): void {
    if (this.#parting === 'hand over') void handle.release();
    else if (this.#parting !== null) void handle.drain(rests[this.#parting]);
  }

  /** False if the time is over while a connection is still open or an event still runs. */
  async #parted(): Promise<boolean> {
    const begun = Date.now();
    let seen = begun;
    while (this.#connections.size > 0 || this.#running()) {
      const now = Date.now();
      if (now > this.#until) return false;
      if (this.#parting === 'close' && now > begun + lastOrdersMs) this.#shut = true;
      if (this.#connections.size > 0 || this.#forwarded > 0) seen = now;
      else if ((this.#leaves || this.alone) && now > seen + lonelyForMs)
        giveUpSteps(this.#host, 'Kong is gone');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  }
}

/** Whether it settles in time, one way or the other. */
async function settles(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  return (await within(limitMs, Promise.allSettled([work]))) !== late;
}

/**
 * How long Kong may leave an orphaned connection alone, in milliseconds. One that is in use gets its next command before. On one
 * whose last request nobody knows of, Kong waits for the end.
 */
const silentOrphanMs = 1000;

function partWithSilent(handle: ConnectionHandle): void {
  const timer = setTimeout(() => {
    if (handle.bytesRead === 0) handle.giveUp();
  }, silentOrphanMs);
  void handle.closed.then(() => clearTimeout(timer));
}
