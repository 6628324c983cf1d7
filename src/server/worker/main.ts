// Entry of a worker process. It is started by the supervisor with an IPC channel and ends when that closes.
import type { ForwardedAnswer, ForwardedStep } from '../connection/host.ts';
import { writeThrough } from '../in-flight/file.ts';
import { Keeper, orphanTermMs } from '../keeper/keeper.ts';
import { kongRuns } from '../keeper/kong-master.ts';
import type { KongMaster } from '../keeper/kong-master.ts';
import { HandedLink, orphanLink } from '../keeper/orphan-link.ts';
import { drainTerm } from '../ipc/drain-term.ts';
import type { Ask, InstanceRecord, Message, Parting, WorkerStart } from '../ipc/messages.ts';
import { Outgoing } from '../ipc/outgoing.ts';
import { Peer } from '../ipc/peer.ts';
import { createServerLog } from '../log/server-log.ts';
import type { ServerLog } from '../log/types.ts';
import { InstanceFile } from '../remembered/instance-file.ts';
import { RememberedInstances } from '../remembered/remembered-instances.ts';
import type { Connection } from '../../unix/index.ts';
import { refuseExit, surviveFailures } from './failures.ts';
import { inFlightDescriptor, startGuard } from './guard.ts';
import { openInspector } from './inspector.ts';
import type { OpenInspector } from './inspector.ts';
import type { WorkerLink } from './link.ts';
import { PluginWorker } from './plugin-worker.ts';

/** How long the successor of a worker that has died writes down every event as it begins, in milliseconds. */
const carefulForMs = 10_000;

/** Time between two signs of life, in milliseconds. */
const beatIntervalMs = 500;

/** If more than this waits for the supervisor, another sign of life is of no use. In bytes. */
const mostBeforeBeat = 64 * 1024;

const parent = process.ppid;
const exit: (code: number) => never = refuseExit();
let worker: PluginWorker | null = null;
let leaving: Parting | null = null;
let inspector: OpenInspector | null = null;

/** Counts the signs of life: its guard tells by it whether the event loop is blocked. */
const alive = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

const outgoing = new Outgoing((message, sent) => {
  if (process.connected) process.send?.(message, undefined, undefined, sent);
  else sent();
});
const peer = new Peer(outgoing, answer);
/** The instances that are being asked for. Many connections that miss the same one ask once. */
const finding = new Map<number, Promise<InstanceRecord | null>>();

let kong: KongMaster | null = null;
let keeper: Keeper | null = null;
/** From now on this worker asks the instance file what it asked the supervisor. */
let orphan: (() => void) | null = null;

const supervisor: WorkerLink = {
  record: async (record, asked) => (await peer.ask({ op: 'record', record, asked })) as boolean,
  started(ticket) {
    send({ type: 'started', ticket });
  },
  find(id) {
    let found = finding.get(id);
    if (found === undefined) {
      found = peer
        .ask({ op: 'find', id })
        .finally(() => finding.delete(id)) as Promise<InstanceRecord | null>;
      finding.set(id, found);
    }
    return found;
  },
  forget(id) {
    send({ type: 'forget', id });
  },
  read(files) {
    send({ type: 'read', files });
  },
  forwardStep: async (owner, message) => (await peer.ask({ op: 'step', owner, message })) as ForwardedAnswer,
};
const link = new HandedLink(supervisor);

process.on('message', (message: Message, handle: unknown) => {
  if (peer.receive(message)) return;
  switch (message.type) {
    case 'start':
      start(message.start);
      break;
    case 'connection':
      send({ type: 'taken', ticket: message.ticket });
      take(message.ticket, (handle as Connection | null | undefined) ?? null, message.orphaned);
      break;
    case 'forget':
      worker?.forget(message.id);
      break;
    case 'withhold':
      worker?.withhold(message.withheld);
      break;
    case 'inherit':
      keeper?.inheritance.take(message.socket, handle);
      break;
    case 'disinherit':
      keeper?.inheritance.close();
      break;
    case 'accept':
      keeper?.accept();
      send({ type: 'accept' });
      break;
    case 'hooks':
      void worker?.hooks.connect(message.address);
      break;
    default:
      break;
  }
});

// The supervisor decides when a worker ends; a Ctrl-C in a terminal reaches the whole group.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('disconnect', () => {
  if (keeper !== null && kong !== null && kongRuns(kong)) keeper.orphaned(leaving);
  else {
    orphan?.();
    keeper?.inheritance.close();
    void leave(worker?.options.drainTimeoutMs ?? 0, 'close');
  }
  peer.close('the supervisor is gone');
});

function start(given: WorkerStart): void {
  const { options, slot, count, uid, hooks, inFlight, careful, withheld } = given;
  kong = given.kong;
  const log = createServerLog(options.logLevel, { worker: slot }, options.logFormat);
  if (options.inspect !== null) inspector = openInspector(options.inspect, log);
  surviveFailures(log);
  const started = new PluginWorker({
    options,
    slot,
    count,
    uid,
    link,
    log,
    inFlight: inFlight ? inFlightDescriptor : null,
  });
  const closely = careful && inFlight;
  if (closely) {
    const stop = writeThrough(started.inFlight, inFlightDescriptor);
    setTimeout(stop, carefulForMs).unref();
  }
  startGuard({
    parent,
    graceMs: drainTerm(options.drainTimeoutMs, 'close') + (kong === null ? 0 : orphanTermMs),
    blockedForMs: drainTerm(options.drainTimeoutMs, 'close'),
    alive: alive.buffer,
    memory: started.inFlight.memory,
    descriptor: inFlight ? inFlightDescriptor : null,
    copyAfterMs: closely ? carefulForMs : 0,
  });
  worker = started;
  const file = options.instancesFile === null ? null : new InstanceFile({ path: options.instancesFile, log });
  const memory = new RememberedInstances(file);
  orphan = () => link.orphan(orphanLink(memory, (id) => started.forget(id)));
  if (kong !== null) keeper = createKeeper({ master: kong, started, log, file, memory, orphaned: orphan });
  for (const each of withheld) started.withhold(each);
  send({ type: 'booted' });
  if (hooks !== null) void started.hooks.connect(hooks);
  setInterval(() => {
    Atomics.add(alive, 0, 1);
    // A supervisor that stands still does not count them.
    if (outgoing.bytes < mostBeforeBeat) send({ type: 'beat', beat: started.beat() });
  }, beatIntervalMs).unref();
  started
    .load()
    .then((report) => {
      send({ type: 'loaded', report, at: Date.now() });
      send({ type: 'beat', beat: started.beat() });
    })
    .catch((error: unknown) => {
      log.crit('the worker cannot start', { reason: String(error) });
      exit(1);
    });
}

function createKeeper({
  master,
  started,
  log,
  file,
  memory,
  orphaned,
}: {
  readonly master: KongMaster;
  readonly started: PluginWorker;
  readonly log: ServerLog;
  readonly file: InstanceFile | null;
  readonly memory: RememberedInstances;
  readonly orphaned: () => void;
}): Keeper {
  const { options } = started;
  return new Keeper({
    kongRuns: () => kongRuns(master),
    file,
    log,
    worker: started,
    will: {
      maxFrameBytes: options.maxFrameBytes,
      log,
      add: (record) => memory.add(record),
      find: (id) => memory.find(id),
      remove: (id) => {
        memory.remove(id);
      },
      pluginNames: () => started.pluginNames,
      forwardStep: (_, step) => started.step(step),
    },
    orphaned,
    leave: (parting) => void leave(options.drainTimeoutMs, parting),
  });
}

function take(ticket: number, socket: Connection | null, orphaned: boolean): void {
  const gone = () => {
    send({ type: 'gone', ticket });
  };
  if (socket === null || worker === null) gone();
  else {
    void worker.serve(socket, ticket, orphaned).then((how) => {
      send({ type: how === 'released' ? 'released' : 'gone', ticket });
    });
  }
}

function answer(ask: Ask): unknown {
  if (worker === null) throw new Error('the worker has not started');
  switch (ask.op) {
    case 'step':
      return worker.step(ask.message as ForwardedStep);
    case 'dump':
      return worker.dump();
    case 'report':
      return worker.report();
    case 'drain':
      return leave(ask.limit, ask.parting);
    case 'record':
    case 'find':
      throw new Error('a worker does not answer this');
  }
}

/** Drains and ends the process. The last counters go to the supervisor before. */
async function leave(limitMs: number, parting: Parting): Promise<void> {
  if (leaving !== null) {
    leaving = parting;
    worker?.hurry(limitMs, parting);
    return;
  }
  leaving = parting;
  inspector?.close();
  // Ends the process even if something hangs.
  setTimeout(() => exit(1), drainTerm(limitMs, parting) - 1000).unref();
  await worker?.drain(limitMs, parting);
  await keeper?.end();
  if (!process.connected) exit(0);
  const last: Message | null = worker === null ? null : { type: 'last', report: worker.report() };
  if (last === null || process.send === undefined) exit(0);
  process.send(last, () => exit(0));
}

function send(message: Message): void {
  outgoing.send(message);
}
