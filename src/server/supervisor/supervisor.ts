import { messageOf } from '../../errors.ts';
import { listenControl, listenMetrics, type AdminListener } from '../admin/listeners.ts';
import type { ReloadResult, ServerStatus } from '../admin/status.ts';
import { DispatcherProcess } from '../hooks/dispatcher-process.ts';
import type { Ask, LoadReport } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import { addStats } from '../metrics/aggregate.ts';
import { exposition } from '../metrics/exposition.ts';
import type { PluginStats } from '../metrics/phase-stats.ts';
import { RetainedMetrics } from '../metrics/retained-metrics.ts';
import { serverMetrics } from '../metrics/server-metrics.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { RunningServer } from '../running-server.ts';
import { lingerAfterTakeover } from '../ipc/drain-term.ts';
import { Pause } from '../process/pause.ts';
import type { ListeningSockets } from '../socket/listening.ts';
import { eventAborted } from './abort.ts';
import { Backoff } from './backoff.ts';
import { reportLostEvents } from './lost-events.ts';
import { PluginState } from './plugin-state.ts';
import { PluginWatch } from './plugin-watch.ts';
import { WorkerPool } from './pool.ts';
import { InstanceRecords } from './records.ts';
import { ConnectionRouter } from './router.ts';
import { Watchdog } from './watchdog.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * Owns the sockets, hands connections to worker processes, remembers instances, replaces workers. Runs no plugin
 * code.
 */
export class Supervisor implements RunningServer {
  readonly stopped: Promise<void>;
  readonly #options: CompiledServerOptions;
  readonly #log: ServerLog;
  readonly #startedAt = Date.now();
  readonly #records = new InstanceRecords();
  readonly #plugins = new PluginState();
  readonly #router: ConnectionRouter<WorkerProcess>;
  readonly #pool: WorkerPool;
  readonly #retired: Record<string, PluginStats> = {};
  readonly #retained = new RetainedMetrics();
  readonly #listeners: AdminListener[] = [];
  readonly #retry = new Backoff({ first: 2000, most: 30_000, healthyAfter: Infinity });
  #watchdog: Watchdog | null = null;
  #dispatcher: DispatcherProcess | null = null;
  #watch: PluginWatch | null = null;
  readonly #sockets: ListeningSockets;
  #retryTimer: NodeJS.Timeout | null = null;
  #reloading: Promise<ReloadResult> | null = null;
  #stopping: Promise<void> | null = null;
  #hurry: () => void = () => undefined;
  #resolveStopped: () => void = () => undefined;

  private constructor(options: CompiledServerOptions, log: ServerLog, sockets: ListeningSockets) {
    this.#options = options;
    this.#sockets = sockets;
    this.#log = log;
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    this.#router = new ConnectionRouter((index) =>
      this.#plugins.only('msgpack', options.sockets[index]?.plugin ?? null),
    );
    this.#pool = new WorkerPool(options, log, {
      attach: (worker) => {
        this.#router.attach(worker);
      },
      detach: (worker) => {
        this.#router.detach(worker);
      },
      lost: (worker) => {
        if (worker.beat !== null) addStats(this.#retired, worker.beat.stats);
        this.#retained.add(worker.metrics);
        reportLostEvents(worker, this.#records, log);
        return this.#router.lost(worker, worker.suspect ? (index) => this.#lastWords(index) : null);
      },
      taken: (_, ticket) => {
        this.#router.taken(ticket);
      },
      connectionGone: (_, ticket) => {
        this.#router.gone(ticket);
      },
      connectionReleased: (_, ticket) => {
        this.#router.released(ticket);
      },
      loaded: (worker, report) => {
        if (this.#pool.current.includes(worker)) this.#loaded(report);
      },
      forget: (worker, id) => {
        this.#records.remove(id);
        for (const other of this.#pool.workers) if (other !== worker) other.forget(id);
      },
      beat: (_, beat) => {
        if (beat.usesEventHooks && this.#options.eventHooks === 'auto') this.#startDispatcher();
      },
      ask: (_, ask) => this.#answer(ask),
    });
  }

  /**
   * Takes sockets that are listened on already; workers and plugins come after that.
   * @throws KongTsError PORT_IN_USE or SOCKET_UNUSABLE for the admin listeners; the sockets are closed then
   */
  static async start(
    options: CompiledServerOptions,
    log: ServerLog,
    sockets: ListeningSockets,
  ): Promise<Supervisor> {
    const supervisor = new Supervisor(options, log, sockets);
    try {
      await supervisor.#open();
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
    return supervisor;
  }

  get addresses(): readonly string[] {
    return this.#listeners.map(({ address }) => address);
  }

  status(): ServerStatus {
    const dispatcher = this.#dispatcher;
    return {
      state: this.#stopping === null ? 'running' : 'draining',
      pid: process.pid,
      startedAt: this.#startedAt,
      sockets: this.#options.sockets.map(({ path, plugin }) => ({ path, plugin })),
      plugins: this.#plugins.plugins.map(({ fingerprint: _, ...plugin }) => plugin),
      failures: this.#plugins.failures,
      workers: [...this.#pool.workers].map((worker) => ({
        slot: worker.slot,
        pid: worker.pid,
        state: worker.state,
        startedAt: worker.startedAt,
        connections: worker.connections,
        rss: worker.beat?.rss ?? null,
        loopDelay: worker.beat?.loopDelay ?? null,
        events: countEvents(worker.beat?.stats ?? {}),
      })),
      instances: this.#records.size,
      waitingConnections: this.#router.waiting,
      restarts: { ...this.#pool.restarts },
      eventHooks:
        dispatcher === null ? null : { pid: dispatcher.pid, grpc: dispatcher.grpc, admin: dispatcher.admin },
    };
  }

  async metrics(): Promise<{ type: string; text: string }> {
    await this.#refresh();
    const stats = addStats({}, this.#retired);
    for (const beat of this.#pool.beats()) addStats(stats, beat.stats);
    const own = serverMetrics({
      stats,
      workers: [...this.#pool.workers],
      restarts: { ...this.#pool.restarts },
      waitingConnections: this.#router.waiting,
      instances: this.#records.size,
      pluginsFailed: this.#plugins.failures.length,
    });
    const ofPlugins = [...this.#pool.workers].map((worker) => worker.metrics);
    return exposition([own, this.#retained.toJson(), ...ofPlugins]);
  }

  reload(): Promise<ReloadResult> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = null;
    });
    return this.#reloading;
  }

  stop(): Promise<void> {
    if (this.#stopping === null) this.#stopping = this.#stop('close');
    else this.#hurry();
    return this.#stopping;
  }

  async #open(): Promise<void> {
    const { metrics, control } = this.#options;
    this.#pool.start();
    this.#sockets.serve({
      onConnection: (connection, index) => {
        this.#router.accept(connection, index);
      },
      onTakenOver: () => {
        this.#stopping ??= this.#stop('let fade');
      },
    });
    if (metrics !== null) this.#listeners.push(await listenMetrics(metrics, this, this.#log));
    this.#watchdog = new Watchdog(this.#pool, this.#options, this.#log);
    if (this.#options.eventHooks === 'on') this.#startDispatcher();
    if (control !== null) this.#listeners.push(await listenControl(control, this));
    if (this.#options.watch) await this.#startWatch();
  }

  /** Brings what is known of the workers up to date; one that does not answer is shown as it was. */
  async #refresh(): Promise<void> {
    const workers = [...this.#pool.workers].filter(({ state }) => state === 'ready' || state === 'draining');
    await Promise.all(workers.map((worker) => worker.refresh(500)));
  }

  /** What Kong reads from a connection whose event has ended its worker; over MsgPack:1 a plain end is enough. */
  #lastWords(index: number): Buffer | null {
    const plugin = this.#options.sockets[index]?.plugin ?? null;
    return this.#plugins.only('protobuf', plugin) ? eventAborted : null;
  }

  #answer(ask: Ask): unknown {
    switch (ask.op) {
      case 'record':
        return this.#records.add(ask.record, (id) => {
          for (const worker of this.#pool.workers) worker.forget(id);
        });
      case 'find':
        return this.#records.find(ask.id);
      case 'step': {
        const owner = this.#pool.byUid(ask.owner);
        if (owner === null) throw new Error('the worker of this event has ended');
        return owner.ask(ask);
      }
      case 'report':
      case 'drain':
        throw new Error('a supervisor does not answer this');
    }
  }

  #loaded(report: LoadReport): string[] {
    const { changed, newFailures } = this.#plugins.update(report);
    for (const { spec, message } of newFailures) {
      this.#log.error('a plugin does not load', { plugin: spec, reason: message });
    }
    if (report.failures.length === 0) this.#retry.reset();
    else this.#retryLater();
    if (report.usesEventHooks && this.#options.eventHooks === 'auto') this.#startDispatcher();
    return changed;
  }

  /** A plugin that does not load is tried again: what it needs may come to be. */
  #retryLater(): void {
    if (this.#retryTimer !== null || this.#stopping !== null) return;
    this.#retryTimer = setTimeout(
      () => {
        this.#retryTimer = null;
        this.#log.debug('trying again to load the plugins');
        void this.reload().catch(() => undefined);
      },
      Math.max(1000, this.#retry.next(0)),
    );
  }

  async #reload(): Promise<ReloadResult> {
    if (this.#stopping !== null) throw new Error('the server is stopping');
    const report = await this.#pool.reload();
    if (report.failures.length > 0) {
      const known = this.#plugins.failures;
      for (const { spec, message } of report.failures) {
        if (known.some((failure) => failure.spec === spec && failure.message === message)) continue;
        this.#log.error('the new plugin code does not load, the old one goes on', {
          plugin: spec,
          reason: message,
        });
      }
      if (known.length > 0) this.#retryLater();
      return { reloaded: false, failures: report.failures, plugins: [], needKongReload: [] };
    }
    const changed = this.#loaded(report);
    if (changed.length > 0) {
      this.#log.warn('the schema, phases, priority or version of a plugin has changed: run "kong reload"', {
        plugins: changed,
      });
    }
    const plugins = report.plugins.map(({ name }) => name);
    this.#log.notice('plugins reloaded', { plugins });
    return { reloaded: true, failures: [], plugins, needKongReload: changed };
  }

  #startDispatcher(): void {
    if (this.#dispatcher !== null || this.#stopping !== null) return;
    this.#dispatcher = new DispatcherProcess(this.#options, this.#log, (address) => {
      this.#pool.setHooks(address);
    });
    this.#dispatcher.start();
  }

  async #startWatch(): Promise<void> {
    // Only to find the files: the plugins themselves are never loaded here.
    const { findPlugin } = await import('../../plugin/loader.ts');
    const files = this.#options.plugins.flatMap((spec) => {
      try {
        return findPlugin(spec, this.#options.cwd);
      } catch (error) {
        this.#log.error('a plugin cannot be watched', { plugin: spec, reason: messageOf(error) });
        return [];
      }
    });
    this.#watch = new PluginWatch(files, this.#log, (file) => {
      this.#log.notice('a file has changed, reloading', { file });
      void this.reload().catch(() => undefined);
    });
  }

  async #stop(parting: 'close' | 'let fade'): Promise<void> {
    this.#log.notice('draining');
    const limit = this.#options.drainTimeout;
    const linger = parting === 'let fade' ? new Pause(lingerAfterTakeover) : null;
    this.#hurry = () => {
      linger?.end();
      void this.#pool.stop(limit, 'close');
    };
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#watch?.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#sockets.close();
    // Whoever has been accepted is served: a connection that were dropped here would be a failed request.
    await this.#router.settled(limit);
    await this.#pool.stop(limit, parting);
    this.#router.close();
    this.#watchdog?.stop();
    await this.#dispatcher?.stop(5000);
    await linger?.over;
    this.#log.notice('stopped');
    this.#resolveStopped();
  }
}

function countEvents(stats: Readonly<Record<string, PluginStats>>): number {
  let sum = 0;
  for (const phases of Object.values(stats)) for (const { events } of Object.values(phases)) sum += events;
  return sum;
}
