import type { DumpDocument } from '../../plugin/index.ts';
import { randomInt } from 'node:crypto';
import { listenControl, listenMetrics } from '../admin/listeners.ts';
import { OpenListeners } from '../admin/open-listeners.ts';
import type { PluginReport, ReloadResult, ServerStatus } from '../admin/status.ts';
import { DispatcherProcess } from '../hooks/dispatcher-process.ts';
import type { LoadReport } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import { exposition } from '../metrics/exposition.ts';
import { youngestOf } from '../metrics/handler-failures.ts';
import { historyEveryMs, StatsHistory } from '../metrics/history.ts';
import { eventsOf } from '../metrics/phase-stats.ts';
import { serverMetrics } from '../metrics/server-metrics.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { RunningServer } from '../running-server.ts';
import { InstanceFile } from '../remembered/instance-file.ts';
import { RememberedInstances } from '../remembered/remembered-instances.ts';
import { Signs } from '../remembered/signs.ts';
import { HeldConnections } from '../socket/held.ts';
import { mustServe } from '../supervisor/first-load.ts';
import { ListeningSockets } from '../socket/listening.ts';
import { lingerAfterTakeoverMs } from '../ipc/drain-term.ts';
import { Pause } from './pause.ts';
import { rememberingLink } from '../worker/link.ts';
import { PluginWorker } from '../worker/plugin-worker.ts';

/** A server without workers: sockets and plugins in one process, for tests and debugging. It cannot reload. */
export class SingleProcessServer implements RunningServer {
  readonly stopped: Promise<void>;
  readonly #options: CompiledServerOptions;
  readonly #log: ServerLog;
  readonly #startedAt = Date.now();
  #readyAt: number | null = null;
  readonly #worker: PluginWorker;
  readonly #listeners = new OpenListeners();
  readonly #history: StatsHistory;
  #report: LoadReport | null = null;
  #dispatcher: DispatcherProcess | null = null;
  #sockets: ListeningSockets | null = null;
  readonly #file: InstanceFile | null;
  readonly #instances: RememberedInstances;
  #signs: Signs | null = null;
  readonly #held: HeldConnections;
  #stopping: Promise<void> | null = null;
  #takenOver = false;
  #hurry: () => void = () => undefined;
  #resolveStopped: () => void = () => undefined;

  private constructor(options: CompiledServerOptions, log: ServerLog) {
    this.#options = options;
    this.#log = log;
    const { instancesFile } = options;
    this.#file = instancesFile === null ? null : new InstanceFile({ path: instancesFile, log });
    this.#instances = new RememberedInstances(this.#file);
    const link = rememberingLink(this.#instances, (id) => this.#worker.forget(id));
    this.#worker = new PluginWorker({
      options,
      slot: 0,
      count: 1,
      uid: randomInt(256),
      link,
      log,
      inFlight: null,
    });
    this.#history = new StatsHistory(() => this.#worker.stats);
    this.#held = new HeldConnections({
      maxFrameBytes: options.maxFrameBytes,
      log,
      add: (record) => this.#instances?.add(record) ?? true,
      find: (id) => this.#instances?.find(id) ?? null,
      remove: (id) => this.#instances?.remove(id),
      pluginNames: () => (this.#report?.plugins ?? []).map(({ name }) => name),
      forwardStep: (_, step) => this.#worker.step(step),
    });
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  /** Resolves once every socket is listened on; plugins load after that, and calls wait for them. */
  static async start(options: CompiledServerOptions, log: ServerLog): Promise<SingleProcessServer> {
    const server = new SingleProcessServer(options, log);
    try {
      await server.#open();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get addresses(): readonly string[] {
    return this.#listeners.addresses;
  }

  status(): ServerStatus {
    const beat = this.#worker.beat();
    return {
      state: this.#stopping === null ? 'running' : 'draining',
      pid: process.pid,
      startedAt: this.#startedAt,
      sockets: this.#options.sockets.map(({ path, plugin }) => ({ path, plugin })),
      plugins: (this.#report?.plugins ?? []).map((plugin) => ({ ...plugin })),
      failures: this.#report?.failures ?? [],
      workers: [
        {
          slot: 0,
          pid: process.pid,
          state: this.#report === null ? 'starting' : this.#stopping === null ? 'ready' : 'draining',
          startedAt: this.#startedAt,
          readyAt: this.#readyAt,
          connections: beat.connections,
          rss: beat.rss,
          loopDelay: beat.loopDelay,
          events: eventsOf(beat.stats),
        },
      ],
      instances: beat.instances,
      recalledInstances: this.#instances.recalled,
      unknownInstances: this.#instances.unknown,
      waitingConnections: this.#held.size,
      restarts: {},
      eventHooks: this.#dispatcher?.status() ?? null,
    };
  }

  async metrics(): Promise<{ type: string; text: string }> {
    const { beat, metrics } = this.#worker.report();
    const own = serverMetrics({
      stats: beat.stats,
      workers: [{ slot: 0, beat }],
      restarts: {},
      waitingConnections: 0,
      instances: beat.instances,
      unknownInstances: this.#instances.unknown,
      socketGap: this.#signs?.gap ?? null,
      pluginsFailed: this.#report?.failures.length ?? 0,
    });
    return exposition([own, metrics]);
  }

  plugins(): Promise<PluginReport> {
    const failures = youngestOf([this.#worker.report().failures]);
    const history = this.#history.show();
    return Promise.resolve({ status: this.status(), everyMs: historyEveryMs, history, failures });
  }

  reload(): Promise<ReloadResult> {
    const message = 'A server with --workers 0 cannot load plugins anew: start it again, or use workers.';
    return Promise.resolve({
      reloaded: false,
      failures: [{ spec: '', message }],
      plugins: [],
      needKongReload: [],
    });
  }

  dump(): Promise<readonly DumpDocument[] | null> {
    return Promise.resolve(this.#report === null ? null : this.#worker.dump());
  }

  terminate(): 'stops' {
    void this.stop();
    return 'stops';
  }

  stop(): Promise<void> {
    if (this.#stopping === null) this.#stopping = this.#stop('close');
    else this.#hurry();
    return this.#stopping;
  }

  async #open(): Promise<void> {
    const { metrics, control, eventHooks } = this.#options;
    this.#history.start();
    if (metrics !== null)
      await this.#listeners.open(() => listenMetrics(metrics, this, this.#log, this.#options.allowHosts));
    this.#sockets = await ListeningSockets.open({
      server: this.#options,
      log: this.#log,
      paused: false,
    });
    this.#sockets.serve({
      onConnection: (connection) => {
        if (this.#worker.shut) this.#held.add(connection);
        else void this.#worker.serve(connection);
      },
      onTakenOver: () => {
        this.#takenOver = true;
        if (this.#stopping === null) this.#stopping = this.#stop('let fade');
        else this.#hurry();
        void this.#held.end();
      },
    });
    const loading = this.#load();
    if (this.#sockets.waiting) {
      mustServe(await loading);
      await this.#sockets.takeAll();
    }
    this.#signs = new Signs(this.#file, this.#sockets.alone);
    if (control !== null) await this.#listeners.open(() => listenControl(control, this));
    if (eventHooks === 'on') this.#startDispatcher();
  }

  async #load(): Promise<LoadReport> {
    const report = await this.#worker.load();
    this.#report = report;
    this.#readyAt = Date.now();
    for (const { spec, message } of report.failures) {
      this.#log.error('a plugin does not load', { plugin: spec, reason: message });
    }
    if (this.#options.eventHooks === 'auto' && report.usesEventHooks) this.#startDispatcher();
    return report;
  }

  #startDispatcher(): void {
    if (this.#dispatcher !== null || this.#stopping !== null) return;
    this.#dispatcher = new DispatcherProcess(this.#options, this.#log, (address) => {
      void this.#worker.hooks.connect(address);
    });
    this.#dispatcher.start();
  }

  async #stop(parting: 'close' | 'let fade'): Promise<void> {
    this.#log.notice('draining');
    const linger = parting === 'let fade' ? new Pause(lingerAfterTakeoverMs) : null;
    this.#hurry = () => {
      this.#worker.hurry(this.#options.drainTimeoutMs, this.#takenOver ? 'let go' : 'close');
      linger?.end();
    };
    this.#sockets?.leave();
    this.#history.stop();
    await this.#listeners.close();
    await this.#worker.drain(this.#options.drainTimeoutMs, parting);
    await this.#dispatcher?.stop(5000);
    await linger?.over;
    await this.#sockets?.close();
    this.#signs?.stop();
    await this.#held.end();
    this.#log.notice('stopped');
    this.#resolveStopped();
  }
}
