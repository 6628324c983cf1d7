import type { Buffer } from 'node:buffer';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import type { ContextValues, KongFacts, PhaseChannel } from '../../pdk/index.ts';
import type { CompiledPlugin, PluginHandlers } from '../../plugin/index.ts';
import type { OpenRequest } from '../in-flight/open-requests.ts';
import type { PluginInfo } from '../../wire/protobuf/index.ts';
import type { ServerLog } from '../log/types.ts';
import type { Usage } from '../instances/configuration.ts';
import type { PluginStats } from '../metrics/phase-stats.ts';
import type { BodyFiles } from './body-file.ts';
import type { SteadyClock } from '../../base/clock.ts';
import type { PrefetchLearners } from './prefetch-learner.ts';

/** A StartInstance that Kong waits for: where, and what the answer has to name. Plain data, for structured clone. */
export interface AskedStart {
  /** Of the connection, see serveConnection. */
  readonly ticket: number;
  readonly protocol: Protocol;
  /** The sequence (ProtoBuf:1) or the message id (MsgPack:1). */
  readonly request: number | bigint;
}

/** An instance that can run events. */
export interface RunningInstance {
  readonly id: number;
  readonly plugin: CompiledPlugin;
  readonly handlers: PluginHandlers;
  /** The configuration as the plugin's handlers get it. */
  readonly config: unknown;
  /** Counters of its plugin, by phase. */
  readonly stats: PluginStats;
  /** Says how many events run on the instance's configuration. */
  readonly usage: Usage;
  /** The calls that its handlers are known to make; absent or null if nothing is asked for ahead. */
  readonly prefetch?: PrefetchLearners | null;
  /** Whether calls of its events are merged, see CallMerger. Default: each is made by itself. */
  readonly merges?: boolean;
  /** What it has learned of the Kong that started it. Default: nothing is kept. */
  readonly facts?: KongFacts;
  /** What it knows of values in the context of requests. Default: nothing is kept for the log phase. */
  readonly context?: ContextValues | undefined;
}

/** What is told to Kong about an instance. */
export interface StartedInstance {
  readonly id: number;
  /** Name of the plugin. */
  readonly name: string;
  /** The configuration as Kong sent it, parsed; MsgPack:1 hands it back. */
  readonly config: unknown;
  /** Seconds since 1970. */
  readonly startedAt: number;
}

/** A step of a MsgPack:1 event on its way to the worker that runs it. Plain data, for structured clone. */
export interface ForwardedStep {
  readonly eventId: number;
  /** The decoded result of the call, null for nil. */
  readonly data: unknown;
  /** True for `plugin.StepError`. */
  readonly failed: boolean;
  /** Of the message that brought it, in bytes. */
  readonly size: number;
}

/**
 * The answer of an event's owner to a forwarded step: the next call, the end, or an error text. `gone` says that the
 * owner has ended through no fault of the event: Kong is to begin it anew.
 */
export type ForwardedAnswer =
  | { readonly type: 'done' }
  | { readonly type: 'gone' }
  | { readonly type: 'call'; readonly method: Uint8Array; readonly args: Uint8Array }
  | { readonly type: 'error'; readonly message: string };

/** What connections need from the worker that they run in. */
export interface ConnectionHost {
  /** Largest frame or message that is read, in bytes. */
  readonly maxFrameBytes: number;
  /** How much the MsgPack:1 events that wait for a step of Kong may hold together, in bytes. Default 256 MiB. */
  readonly maxUnsteppedBytes?: number;
  /** How much all connections together may hold of unfinished messages, in bytes. Default 256 MiB. */
  readonly maxUnfinishedBytes?: number;
  /** Number of this worker among those that run, 0 to 255; part of every MsgPack:1 event id. */
  readonly workerIndex: number;
  readonly log: ServerLog;
  readonly clock: SteadyClock;
  /** Reads request bodies that Kong buffered to disk; null where no file may be read. */
  readonly bodyFiles: Pick<BodyFiles, 'read'> | null;
  /** Where running events are noted, so that they are known when the process is gone. Default: nowhere. */
  readonly inFlight?: {
    enter(instanceId: number, phase: Phase, ticket: number, eventId: number): number;
    leave(place: number): void;
  };
  /** Where MsgPack:1 requests are noted that wait for their answers. Default: nowhere. */
  readonly openRequests?: {
    open(request: OpenRequest): number;
    close(place: number): void;
  };
  /**
   * True if the connections belonged to another process, which has died. Kong may owe answers on them. So bytes that
   * are not a command end a connection, and the connections end soon. Default: false.
   */
  readonly orphans?: boolean;
  /** Builds the PDK of one event. */
  createKong(channel: PhaseChannel): unknown;
  /** Starts an instance from Kong's JSON. Rejects with a KongTsError that names what is wrong. */
  startInstance(name: string, config: Buffer, asked: AskedStart): Promise<StartedInstance>;
  /** Null when the id is unknown. */
  closeInstance(id: number): Promise<StartedInstance | null>;
  /** Null when the id is unknown. Synchronous for instances that are ready: this is the hot path. */
  findInstance(id: number): RunningInstance | null | Promise<RunningInstance | null>;
  instanceStatus(id: number): StartedInstance | null | Promise<StartedInstance | null>;
  /** Whether it goes on until another server has taken the sockets over. Absent where it does not. */
  serves?(): boolean;
  pluginNames(): readonly string[];
  /** Null when no plugin of that name is served. */
  pluginInfo(name: string): PluginInfo | null;
  /** Takes a MsgPack:1 step to the worker that owns its event; absent where there is only one worker. */
  forwardStep?(ownerWorkerIndex: number, step: ForwardedStep): Promise<ForwardedAnswer>;
  /**
   * Takes a MsgPack:1 step, as Kong sent it, to another server of the socket, see EventRelay; its answer, null when none runs
   * the event. Absent where there is no other.
   */
  relayStep?(request: Buffer): Promise<Buffer | null>;
}

/** A connection that is being served. */
export interface ConnectionHandle {
  /**
   * Parts with the connection without failing an event. It still answers every command, and its answer makes Kong let
   * go of the connection. A connection without commands ends after a while, a few at a time. Resolves when it is
   * closed. May be called again with another rest.
   * @param restMs how long nothing has to come before the connection ends, in milliseconds
   */
  drain(restMs: number): Promise<void>;
  /**
   * Leaves the connection to another process that holds a copy of it. As soon as nothing runs on it and nothing of the
   * next command has been read, this process closes its own copy without a word to Kong. It leaves unread what Kong
   * sends from then on. Resolves to false when the connection was closed instead.
   */
  release(): Promise<boolean>;
  /** True once it has been let go of. */
  readonly released: boolean;
  /**
   * Ends at once without failing what runs: a MsgPack:1 request is answered so that Kong begins its event anew, and a connection that ends
   * cleanly has Kong try an event of ProtoBuf:1 again.
   */
  giveUp(): void;
  /** Closes at once, whatever is running. */
  destroy(): void;
  readonly closed: Promise<void>;
  /** What has come so far. */
  readonly bytesRead: number;
}

/** Counters of a worker's connections, to look at from tests and metrics. */
export interface RuntimeCounts {
  /** Connections that are open. */
  connections: number;
  /** Events that have not ended, of both protocols. */
  events: number;
  /** MsgPack:1 events that are kept by id. */
  steppedEvents: number;
  /** Entries that wait for a deadline. */
  deadlines: number;
}
