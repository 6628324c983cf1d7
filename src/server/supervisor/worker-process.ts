import type { DumpDocument } from '../../plugin/index.ts';
import { fork } from 'node:child_process';
import type { ChildProcess, SendHandle } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SeenFile } from '../../base/file-signature.ts';
import { ownModule } from '../../base/package.ts';
import { drainTerm } from '../ipc/drain-term.ts';
import type {
  Ask,
  Beat,
  LoadReport,
  Message,
  Parting,
  WorkerReport,
  WorkerStart,
  Withheld,
} from '../ipc/messages.ts';
import type { AwakeClock } from './awake-clock.ts';
import type { InheritedSocket } from '../keeper/inheritance.ts';
import type { WorkerStatus } from '../admin/status.ts';
import { eventsOf } from '../metrics/phase-stats.ts';
import type { HandlerFailure } from '../metrics/handler-failures.ts';
import type { MetricJson } from '../metrics/metric-json.ts';
import { late, within } from '../../base/within.ts';
import { InFlightFile } from '../in-flight/file.ts';
import type { OpenRequest } from '../in-flight/open-requests.ts';
import type { InFlightEvent } from '../in-flight/register.ts';
import { Outgoing } from '../ipc/outgoing.ts';
import { Peer } from '../ipc/peer.ts';
import type { Connection } from '../../unix/index.ts';
import { temporarySocketPath } from '../../unix/index.ts';

/**
 * The life of a worker process:
 *
 *     starting ──loaded──► ready ──drain──► draining ──► gone
 *         └───────────────────┴─────────────────┴──kill──┘
 *
 * `starting` takes connections as soon as it has booted; their calls wait for the plugins.
 */
export type WorkerState = 'starting' | 'ready' | 'draining' | 'gone';

export interface WorkerEvents {
  booted(worker: WorkerProcess): void;
  /** The files from which its plugins are loaded, where files are watched. */
  read(worker: WorkerProcess, files: readonly SeenFile[]): void;
  loaded(worker: WorkerProcess, report: LoadReport): void;
  beat(worker: WorkerProcess, beat: Beat): void;
  taken(worker: WorkerProcess, ticket: number): void;
  /** The StartInstance on this connection is answered. */
  started(worker: WorkerProcess, ticket: number): void;
  /** The worker has closed a connection. */
  connectionGone(worker: WorkerProcess, ticket: number): void;
  /** The worker has let go of a connection, which is open: our copy of it is the only one. */
  connectionReleased(worker: WorkerProcess, ticket: number): void;
  forget(worker: WorkerProcess, id: number): void;
  /** It accepts connections itself, see Heir. */
  accepts(worker: WorkerProcess): void;
  ask(worker: WorkerProcess, ask: Ask): unknown;
  /** `why` is for people: the exit status or signal, and the reason if the supervisor has ended it. */
  gone(worker: WorkerProcess, why: string): void;
}

const entry = ownModule('../worker/main', import.meta.url);

/** A little more than two signs of life take, in milliseconds that the supervisor was awake. */
const silentAfterMs = 1200;

/**
 * The size from which glibc gives freed blocks back to the system. By itself glibc raises it up to 32 MiB, the more
 * such blocks it has seen. A size that is set stays. With it a worker that had much to do is about as large afterwards
 * as before. Other C libraries do not read the variable. A value of the user's own is kept.
 */
const steadyMemory = { MALLOC_MMAP_THRESHOLD_: '131072' };

/**
 * V8 doubles the young generation whenever much survives, as after an outage of a log endpoint. On a large machine it
 * goes up to 134 MB, and stays there. Measured with a million log records: with this bound a worker stays at 155 to 175
 * MB, without it the worker ends at 240 MB, at the same CPU time per event. A value of the user's own (NODE_OPTIONS) is
 * kept.
 */
function nodeOptions(): string[] {
  const set = (process.env['NODE_OPTIONS'] ?? '').replaceAll('_', '-').includes('--max-semi-space-size');
  return [...(set ? [] : ['--max-semi-space-size=16']), ...process.execArgv];
}

/** One worker process, seen from the supervisor. */
export class WorkerProcess {
  readonly slot: number;
  readonly uid: number;
  readonly startedAt = Date.now();
  /** When its plugins were loaded, by its own word; null before that. */
  readyAt: number | null = null;
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;
  report: LoadReport | null = null;
  beat: Beat | null = null;
  /** The last metrics of its plugins. */
  metrics: readonly MetricJson[] = [];
  /** The failures of its handlers as they were last heard of. */
  failures: readonly HandlerFailure[] = [];
  /**
   * True when one of its events is likely to have ended it. Kong is then told that events have failed, so that it does
   * not try them again on the next worker.
   */
  suspect = false;
  /** True when a person has killed it, or the system for want of memory. */
  killedFromOutside = false;
  /** Connections that it has or that are on their way to it. */
  connections = 0;
  readonly #child: ChildProcess;
  readonly #outgoing = new Outgoing((message, sent) => {
    if (this.#child.connected) this.#child.send(message, sent);
    else sent();
  });
  readonly #peer: Peer;
  readonly #awake: AwakeClock;
  /** By #awake. */
  #heardAt: number;
  readonly #events: WorkerEvents;
  #file: InFlightFile | null = null;
  #inFlight: readonly InFlightEvent[] = [];
  /** MsgPack:1 requests that it owed an answer when it died. */
  owed: readonly OpenRequest[] = [];
  #state: WorkerState = 'starting';
  #reason: string | null = null;

  constructor(start: Omit<WorkerStart, 'inFlight'>, events: WorkerEvents, awake: AwakeClock) {
    this.#awake = awake;
    this.#heardAt = awake.now();
    this.slot = start.slot;
    this.uid = start.uid;
    this.#events = events;
    const [socket] = start.options.sockets;
    const file = socket === undefined ? null : InFlightFile.create(temporarySocketPath(socket.path));
    this.#child = fork(fileURLToPath(entry), [], {
      execArgv: nodeOptions(),
      env: { ...steadyMemory, ...process.env },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...(file === null ? [] : [file.descriptor])],
    });
    this.#peer = new Peer(this.#outgoing, (ask) => events.ask(this, ask));
    this.#child.on('message', (message) => {
      this.#receive(message as Message);
    });
    this.exited = new Promise((resolve) => {
      let ended = false;
      const end = (how: string) => {
        if (ended) return;
        ended = true;
        this.#state = 'gone';
        this.#peer.close('the worker has ended');
        // After a normal end the copy is out of date, which is not a fault.
        if (how !== 'exit status 0') {
          this.#inFlight = this.inFlight();
          this.owed = file?.readRequests() ?? [];
        }
        file?.close();
        this.#file = null;
        events.gone(this, this.#reason === null ? how : `${this.#reason} (${how})`);
        resolve();
      };
      this.#child.once('exit', (code, signal) => {
        this.killedFromOutside = !this.killed && (signal === 'SIGKILL' || signal === 'SIGTERM');
        end(signal === null ? `exit status ${code}` : `signal ${signal}`);
      });
      this.#child.on('error', (error) => {
        if (this.#child.pid === undefined) end(`it could not be started: ${error.message}`);
      });
    });
    this.#file = file;
    this.#send({ type: 'start', start: { ...start, inFlight: file !== null } });
  }

  get state(): WorkerState {
    return this.#state;
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  status(): WorkerStatus {
    const { slot, pid, state, startedAt, readyAt, connections, beat } = this;
    return {
      slot,
      pid,
      state,
      startedAt,
      readyAt,
      connections,
      rss: beat?.rss ?? null,
      loopDelay: beat?.loopDelay ?? null,
      events: eventsOf(beat?.stats ?? {}),
    };
  }

  /** True when no sign of life has come for too long. Its event loop may be blocked. */
  get silent(): boolean {
    return this.silentMs > silentAfterMs;
  }

  /** For how long no sign of life has come although the supervisor was awake, in milliseconds. */
  get silentMs(): number {
    return this.#awake.now() - this.#heardAt;
  }

  /** How long ago its plugins were loaded, in milliseconds; null if they are not. */
  get servedMs(): number | null {
    return this.readyAt === null ? null : Date.now() - this.readyAt;
  }

  /** Hands a connection over. Our copy of the socket stays open until the worker says that the connection has come. */
  give(ticket: number, socket: Connection, index: number, failed: () => void, orphaned: boolean): void {
    this.connections++;
    this.#child.send(
      { type: 'connection', ticket, socket: index, orphaned } satisfies Message,
      socket,
      { keepOpen: true },
      (error) => {
        if (error !== null) failed();
      },
    );
  }

  /** What Kong reads of each plugin that it has loaded. */
  async dump(): Promise<readonly DumpDocument[]> {
    return (await this.ask({ op: 'dump' })) as readonly DumpDocument[];
  }

  ask(ask: Ask): Promise<unknown> {
    return this.#peer.ask(ask);
  }

  /** The events that ran in it a moment ago, or a moment before it ended; the youngest first. */
  inFlight(): readonly InFlightEvent[] {
    return this.#file?.read() ?? this.#inFlight;
  }

  /**
   * Asks for the counters, which are in `beat` and `metrics` afterwards. An answer that does not come in time changes
   * nothing.
   */
  async refresh(limitMs: number): Promise<void> {
    const report = await within(
      limitMs,
      this.ask({ op: 'report' }).catch(() => late),
    );
    if (report !== late && report !== null) this.#heard(report as WorkerReport);
  }

  forget(id: number): void {
    this.#send({ type: 'forget', id });
  }

  /** @param handle of the listening socket */
  inherit(socket: InheritedSocket, handle: unknown): void {
    // Node takes a handle as well as the object that has it.
    this.#child.send({ type: 'inherit', socket } satisfies Message, handle as SendHandle, () => undefined);
  }

  disinherit(): void {
    this.#send({ type: 'disinherit' });
  }

  /** Has it accept connections on the sockets that it has inherited. `accepts` is the answer. */
  accept(): void {
    this.#send({ type: 'accept' });
  }

  withhold(withheld: Withheld): void {
    this.#send({ type: 'withhold', withheld });
  }

  hooks(address: string): void {
    this.#send({ type: 'hooks', address });
  }

  /**
   * Gives it no new connections, and ends it when events in flight have finished and configurations are closed. When
   * that takes longer than `drainTerm`, it is killed. May be called again with a quicker parting.
   */
  async drain(limit: number, parting: Parting): Promise<void> {
    if (this.#state === 'gone') return;
    this.ask({ op: 'drain', limit, parting }).catch(() => undefined);
    if (this.#state !== 'draining') {
      this.#state = 'draining';
      const timer = setTimeout(
        () => {
          this.kill('it had not drained in time');
        },
        drainTerm(limit, parting),
      );
      void this.exited.then(() => {
        clearTimeout(timer);
      });
    }
    await this.exited;
  }

  /** True when the supervisor has ended it. */
  get killed(): boolean {
    return this.#reason !== null;
  }

  kill(reason: string): void {
    if (this.#state === 'gone') return;
    this.#reason ??= reason;
    this.#child.kill('SIGKILL');
  }

  #heard({ beat, metrics, failures }: WorkerReport): void {
    this.#beat(beat);
    this.metrics = metrics;
    this.failures = failures;
  }

  #beat(beat: Beat): void {
    this.beat = beat;
  }

  #send(message: Message): void {
    this.#outgoing.send(message);
  }

  #receive(message: Message): void {
    // Whatever it says: `loaded` may come long after the last beat.
    this.#heardAt = this.#awake.now();
    if (this.#peer.receive(message)) return;
    switch (message.type) {
      case 'booted':
        this.#events.booted(this);
        break;
      case 'read':
        this.#events.read(this, message.files);
        break;
      case 'loaded':
        this.report = message.report;
        // The supervisor may hear of it late.
        this.readyAt ??= message.at;
        if (this.#state === 'starting') this.#state = 'ready';
        this.#events.loaded(this, message.report);
        break;
      case 'last':
        this.#heard(message.report);
        break;
      case 'beat':
        this.#beat(message.beat);
        this.#events.beat(this, message.beat);
        break;
      case 'taken':
        this.#events.taken(this, message.ticket);
        break;
      case 'started':
        this.#events.started(this, message.ticket);
        break;
      case 'gone':
        this.connections--;
        this.#events.connectionGone(this, message.ticket);
        break;
      case 'released':
        this.connections--;
        this.#events.connectionReleased(this, message.ticket);
        break;
      case 'forget':
        this.#events.forget(this, message.id);
        break;
      case 'accept':
        this.#events.accepts(this);
        break;
      default:
        break;
    }
  }
}
