import { messageOf } from '../../base/errors.ts';
import { listenControl, listenMetrics } from '../admin/listeners.ts';
import { OpenListeners } from '../admin/open-listeners.ts';
import type { PluginReport, ReloadResult, ServerStatus } from '../admin/status.ts';
import { DispatcherProcess } from '../hooks/dispatcher-process.ts';
import type { ForwardedAnswer } from '../connection/index.ts';
import type { Ask, InstanceRecord, Withheld } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { RunningServer } from '../running-server.ts';
import { lingerAfterTakeoverMs } from '../ipc/drain-term.ts';
import { Pause } from '../process/pause.ts';
import { InstanceFile } from '../remembered/instance-file.ts';
import { RememberedInstances } from '../remembered/remembered-instances.ts';
import { Signs } from '../remembered/signs.ts';
import type { ListeningSockets } from '../socket/listening.ts';
import type { LastWill } from '../socket/held-host.ts';
import { HeldConnections } from '../socket/held.ts';
import { findKongMaster } from '../keeper/kong-master.ts';
import { Succession } from '../keeper/succession.ts';
import { FirstLoad } from './first-load.ts';
import { inFlightOn } from './last-answers.ts';
import { LogDeaths, SetupDeaths, withheldForMs } from './deaths.ts';
import { reportLostEvents } from './lost-events.ts';
import { OpenStarts } from './open-starts.ts';
import { PluginState } from './plugin-state.ts';
import { WorkerPool } from './pool.ts';
import type { PoolEvents } from './pool.ts';
import { PluginReloads } from './reloads.ts';
import { ConnectionDealer } from './connection-dealer.ts';
import { ForwardedSteps } from './steps.ts';
import { Watchdog } from './watchdog.ts';
import { WorkerCounters } from './worker-counters.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Owns the sockets, deals connections to workers, remembers instances, replaces workers. Runs no plugin code. */
export class Supervisor implements RunningServer {
  readonly stopped: Promise<void>;
  readonly #options: CompiledServerOptions;
  readonly #log: ServerLog;
  readonly #startedAt = Date.now();
  readonly #file: InstanceFile | null;
  readonly #records: RememberedInstances;
  #signs: Signs | null = null;
  readonly #held: HeldConnections;
  readonly #orphans: HeldConnections;
  readonly #firstLoad = new FirstLoad();
  readonly #plugins = new PluginState();
  readonly #router: ConnectionDealer<WorkerProcess>;
  readonly #pool: WorkerPool;
  readonly #reloads: PluginReloads;
  readonly #succession: Succession<WorkerProcess>;
  readonly #logDeaths = new LogDeaths();
  readonly #starts = new OpenStarts<WorkerProcess>();
  readonly #setupDeaths = new SetupDeaths();
  readonly #counters = new WorkerCounters(() => [...this.#pool.workers]);
  readonly #listeners = new OpenListeners();
  #watchdog: Watchdog | null = null;
  #dispatcher: DispatcherProcess | null = null;
  readonly #sockets: ListeningSockets;
  readonly #steps = new ForwardedSteps((uid) => this.#pool.byUid(uid));
  #stopping: Promise<void> | null = null;
  /** The workers end. A connection that finds none is held. */
  #poolStops = false;
  #takenOver = false;
  #hurry: () => void = () => undefined;
  #resolveStopped: () => void = () => undefined;

  private constructor(options: CompiledServerOptions, log: ServerLog, sockets: ListeningSockets) {
    this.#options = options;
    this.#sockets = sockets;
    this.#log = log;
    const { instancesFile } = options;
    this.#file = instancesFile === null ? null : new InstanceFile({ path: instancesFile, log });
    this.#records = new RememberedInstances(this.#file);
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    const will = this.#will();
    this.#held = new HeldConnections(will);
    this.#orphans = new HeldConnections(will, { orphans: true });
    this.#router = new ConnectionDealer((index) =>
      this.#plugins.only('msgpack', options.sockets[index]?.plugin ?? null) ? index % options.workers : null,
    );
    const kong = findKongMaster();
    this.#pool = new WorkerPool(options, log, this.#poolEvents(), kong);
    this.#succession = new Succession<WorkerProcess>({
      kong,
      log,
      sockets,
      workers: () => this.#pool.current,
      stop: () => void this.stop(),
    });
    this.#reloads = new PluginReloads(this.#pool, this.#plugins, options, log, (report) => {
      if (report.usesEventHooks && options.eventHooks === 'auto') this.#startDispatcher();
    });
  }

  #poolEvents(): PoolEvents {
    return {
      withheld: () => [...this.#logDeaths.withheld(Date.now()), ...this.#setupDeaths.withheld(Date.now())],
      attach: (worker) => {
        this.#router.attach(worker);
      },
      detach: (worker) => {
        this.#router.detach(worker);
      },
      lost: (worker) => this.#lost(worker),
      taken: (_, ticket) => {
        this.#router.taken(ticket);
      },
      started: (_, ticket) => {
        this.#starts.close(ticket);
      },
      connectionGone: (_, ticket) => {
        this.#starts.close(ticket);
        this.#router.gone(ticket);
      },
      connectionReleased: (worker, ticket) => {
        // A worker that ends takes no more.
        if (this.#stopping !== null) this.#router.detach(worker);
        this.#router.released(ticket);
        this.#hold();
      },
      loaded: (worker, report) => {
        if (!this.#pool.current.includes(worker)) return;
        this.#reloads.loaded(report);
        this.#firstLoad.loaded(report);
        this.#succession.look();
      },
      read: (_, files) => this.#reloads.read(files),
      forget: (worker, id) => {
        this.#records.remove(id);
        for (const other of this.#pool.workers) if (other !== worker) other.forget(id);
      },
      beat: (_, beat) => {
        this.#succession.look();
        if (beat.usesEventHooks && this.#options.eventHooks === 'auto') this.#startDispatcher();
      },
      accepts: () => {
        this.#succession.accepted();
      },
      ask: (worker, ask) => this.#answer(worker, ask),
    };
  }

  /**
   * Takes sockets that are listened on already. Workers and plugins come after that. Where a live server holds one of
   * the sockets, it resolves when the plugins have loaded and that socket is taken over.
   * @param created gets the server before that, so that it can be stopped
   * @throws KongTsError PORT_IN_USE or SOCKET_UNUSABLE for the admin listeners, PLUGIN_LOAD_FAILED when nothing loads
   * and a live server holds a socket; the sockets are closed then
   */
  static async start(
    options: CompiledServerOptions,
    log: ServerLog,
    sockets: ListeningSockets,
    created: (supervisor: Supervisor) => void = () => undefined,
  ): Promise<Supervisor> {
    const supervisor = new Supervisor(options, log, sockets);
    created(supervisor);
    try {
      await supervisor.#open();
    } catch (error) {
      log.crit(messageOf(error));
      process.exitCode = 1;
      await supervisor.stop();
      throw error;
    }
    return supervisor;
  }

  get addresses(): readonly string[] {
    return this.#listeners.addresses;
  }

  status(): ServerStatus {
    return {
      state: this.#stopping === null ? 'running' : 'draining',
      pid: process.pid,
      startedAt: this.#startedAt,
      sockets: this.#options.sockets.map(({ path, plugin }) => ({ path, plugin })),
      plugins: this.#plugins.plugins.map((plugin) => ({ ...plugin })),
      failures: this.#plugins.failures,
      workers: [...this.#pool.workers].map((worker) => worker.status()),
      instances: this.#records.size,
      recalledInstances: this.#records.recalled,
      unknownInstances: this.#records.unknown,
      waitingConnections: this.#router.waiting + this.#held.size,
      restarts: { ...this.#pool.restarts },
      eventHooks: this.#dispatcher?.status() ?? null,
    };
  }

  metrics(): Promise<{ type: string; text: string }> {
    return this.#counters.metrics({
      restarts: { ...this.#pool.restarts },
      waitingConnections: this.#router.waiting,
      instances: this.#records.size,
      unknownInstances: this.#records.unknown,
      socketGap: this.#signs?.gap ?? null,
      pluginsFailed: this.#plugins.failures.length,
    });
  }

  readonly plugins = (): Promise<PluginReport> => this.#counters.report(this.status());

  reload(): Promise<ReloadResult> {
    return this.#reloads.reload();
  }

  dump(): ReturnType<WorkerPool['dump']> {
    return this.#pool.dump();
  }

  terminate(signal: NodeJS.Signals): 'waits' | 'stops' {
    if (signal === 'SIGTERM' && this.#stopping === null && this.#succession.begin()) return 'waits';
    void this.stop();
    return 'stops';
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
        this.#hold();
      },
      onTakenOver: () => {
        this.#takenOver = true;
        if (this.#stopping === null) this.#stopping = this.#stop('let fade');
        else this.#hurry();
        void this.#held.end();
      },
      onListening: () => {
        this.#succession.renew();
      },
    });
    if (this.#sockets.waiting) {
      await this.#firstLoad.wait(() => this.#sockets.waiting && this.#stopping === null);
      if (this.#stopping !== null) return;
      await this.#sockets.takeAll();
    }
    this.#signs = new Signs(this.#file, this.#sockets.alone);
    if (this.#signs.gap !== null && this.#signs.gap > 0) {
      this.#log.notice('nobody has listened for a while', { seconds: this.#signs.gap });
    }
    if (metrics !== null)
      await this.#listeners.open(() => listenMetrics(metrics, this, this.#log, this.#options.allowHosts));
    this.#watchdog = new Watchdog(this.#pool, this.#options, this.#log);
    if (this.#options.eventHooks === 'on') this.#startDispatcher();
    if (control !== null) await this.#listeners.open(() => listenControl(control, this));
  }

  /** A worker has ended. @returns how many connections it had */
  #lost(worker: WorkerProcess): number {
    this.#counters.ended(worker);
    this.#succession.lost(worker);
    this.#firstLoad.workerEnded();
    reportLostEvents(worker, this.#records, this.#log);
    this.#withholdLogs(worker);
    this.#steps.ended(worker);
    this.#router.detach(worker);
    this.#answerStarts(worker);
    const closed = this.#router.lost(worker, inFlightOn(worker), (connection) => {
      this.#orphans.add(connection);
    });
    this.#hold();
    return closed;
  }

  #will(): LastWill {
    return {
      maxFrameBytes: this.#options.maxFrameBytes,
      log: this.#log,
      add: (record) => this.#records.add(record),
      find: (id) => this.#records.find(id),
      remove: (id) => this.#records.remove(id),
      pluginNames: () => this.#plugins.plugins.map(({ name }) => name),
      forwardStep: async (owner, message) =>
        (await this.#steps.take({ op: 'step', owner, message })) as ForwardedAnswer,
    };
  }

  /** Kong tries a log event again when its worker has died. Here that has an end. */
  #withholdLogs(worker: WorkerProcess): void {
    if (!worker.suspect) return;
    this.#withhold(
      this.#logDeaths.died(worker.inFlight(), (id) => this.#records.peek(id), Date.now()),
      'workers have died with log events of a plugin on them: they end without running for a while',
    );
  }

  #answerStarts(worker: WorkerProcess): void {
    const starts = this.#starts.takeOf(worker);
    this.#withholdSetups(
      worker,
      [...starts.values()].map(({ record }) => record),
    );
    for (const [ticket, { answer }] of starts) this.#router.answer(ticket, answer);
  }

  /** A worker that was killed from outside says nothing about what it was setting up, unless that keeps happening. */
  #withholdSetups(worker: WorkerProcess, records: readonly InstanceRecord[]): void {
    if (worker.killedFromOutside && !worker.suspect) return;
    this.#withhold(
      this.#setupDeaths.died(records, Date.now()),
      'workers have died in the setup of a plugin: it is not tried for a while',
    );
  }

  #withhold(withheld: readonly Withheld[], why: string): void {
    for (const one of withheld) {
      this.#log.error(why, { plugin: one.name, seconds: withheldForMs / 1000 });
      for (const worker of this.#pool.workers) worker.withhold(one);
    }
  }

  #answer(worker: WorkerProcess, ask: Ask): unknown {
    switch (ask.op) {
      case 'record':
        return this.#record(worker, ask);
      case 'find':
        return this.#records.find(ask.id);
      case 'step':
        return this.#steps.take(ask);
      case 'dump':
      case 'report':
      case 'drain':
        throw new Error('a supervisor does not answer this');
    }
  }

  /** While this server ends, connections that no worker serves any more are answered here. */
  #hold(): void {
    if (!this.#poolStops) return;
    for (const connection of this.#router.unserved()) this.#held.add(connection);
  }

  #record(worker: WorkerProcess, { record, asked }: Ask & { op: 'record' }): boolean {
    const added = this.#records.add(record, (id) => {
      for (const each of this.#pool.workers) each.forget(id);
    });
    // Without a ticket nobody here has a copy of the connection.
    if (added && asked !== null && asked.ticket > 0 && worker.state !== 'gone')
      this.#starts.add(worker, asked, record);
    return added;
  }

  #startDispatcher(): void {
    if (this.#dispatcher !== null || this.#stopping !== null) return;
    this.#dispatcher = new DispatcherProcess(this.#options, this.#log, (address) => {
      this.#pool.setHooks(address);
    });
    this.#dispatcher.start();
  }

  async #stop(parting: 'close' | 'let go' | 'let fade'): Promise<void> {
    this.#log.notice('draining');
    this.#succession.end();
    const limit = this.#options.drainTimeoutMs;
    const linger = parting === 'let fade' ? new Pause(lingerAfterTakeoverMs) : null;
    let how = parting;
    this.#hurry = () => {
      linger?.end();
      how = this.#takenOver ? 'let go' : 'close';
      // This waits until every connection has found its worker.
      if (this.#poolStops) void this.#pool.stop(limit, how);
    };
    this.#reloads.stop();
    // The socket stays open until this process ends: Kong does not try again when nobody listens.
    this.#sockets.leave();
    await this.#listeners.close();
    // Every connection that was accepted is served. To drop one here would fail a request.
    await this.#router.settled(limit);
    this.#poolStops = true;
    const stopped = this.#pool.stop(limit, how);
    this.#hold();
    await stopped;
    this.#watchdog?.stop();
    this.#counters.stop();
    await this.#dispatcher?.stop(5000);
    await linger?.over;
    await this.#sockets.close();
    this.#signs?.stop();
    this.#router.close();
    await Promise.all([this.#held.end(), this.#orphans.end()]);
    this.#log.notice('stopped');
    this.#resolveStopped();
  }
}
