import type { FunctionRow } from './catalogue.ts';
import type { Phase, Protocol } from './names/phases.ts';

/**
 * What a protocol driver (server/) offers the PDK for one running event. The PDK (pdk/) checks phase and arguments
 * before it calls; a channel only carries.
 *
 * Arguments and results are neutral: the positional arguments and the result that Kong's Lua function has, decoded
 * from either protocol to the same JavaScript value (see `catalogue.ts`).
 */
export interface PhaseChannel {
  readonly protocol: Protocol;
  readonly phase: Phase;
  /** True once the event is over (exit, error, handler returned, timeout, connection gone): nothing is sent any more. */
  readonly ended: boolean;
  /** A call was refused because the event is over. The `refusal` was created at the call, so its stack leads there. */
  tooLate?(refusal: Error): void;
  /** What the instance has learned of its Kong. Absent if nothing is kept and all connections are HTTP requests. */
  readonly facts?: KongFacts;
  /** What is known of values in the context of its requests. Absent if nothing is kept for the log phase. */
  readonly context?: ContextValues | undefined;

  /**
   * Queues a call whose answer matters. Everything queued in one turn leaves in one write, in program order.
   * Settles with the decoded result; rejects with PDK_CALL_FAILED when Kong answers with an error or drops the
   * connection, with PDK_EVENT_ENDED when the event is over.
   */
  call(row: FunctionRow, args: readonly unknown[]): Promise<unknown>;

  /**
   * Like `call`, but settles with the decoded result, so that each call needs one promise instead of two. An error of
   * `decode` rejects the call. If a channel lacks this method, `call` is used.
   */
  ask?(row: FunctionRow, args: readonly unknown[], decode: (value: unknown) => unknown): Promise<unknown>;

  /**
   * Like `ask`, for a call that is the handler's last. If possible, the end of the event leaves with it, and for the
   * plugin the event is over from now on. Otherwise it is an `ask`. For plugins of this package.
   */
  askLast?(row: FunctionRow, args: readonly unknown[], decode: (value: unknown) => unknown): Promise<unknown>;

  /** Queues a call whose answer carries nothing (setters, logs). Leaves with the next `call` or the end of the phase. */
  send(row: FunctionRow, args: readonly unknown[]): void;

  /**
   * Sends kong.response.exit (or error) as the last call of the event and marks it ended. Never resolves; rejects
   * with an ExitSignal, so that nothing after it runs and `finally` blocks still do.
   */
  exit(row: FunctionRow, args: readonly unknown[]): Promise<never>;

  /**
   * The handler has asked for the end of the request, and the end takes more than one call. For all other calls the
   * event is over from now on. Returns the channel for the remaining calls and the exit.
   */
  lastWords?(): PhaseChannel;

  /**
   * Keeps the event open until `work` settles. A function that is made of several calls has started, and the handler
   * may return without awaiting it. Never throws: the caller handles a rejection of `work`.
   */
  hold?(work: Promise<unknown>): void;

  /**
   * Reads a request body that Kong buffered to disk (`body_filepath`). Absent if files must not be read.
   * @param maxBytes rejects larger files before they are read; no limit when undefined
   */
  readFile?(path: string, maxBytes?: number): Promise<Buffer>;
}

/** What an instance has learned of the Kong that started it. A field is null until it is known. */
export interface KongFacts {
  /** Kong's Lua for HTTP and its Lua for streams start instances of their own: all events of one are of one kind. */
  subsystem: 'http' | 'stream' | null;
  /** Whether it reads request bodies on its disk itself over MsgPack:1, as Kong 3.8 and later do. */
  readsBodyFiles: boolean | null;
}

/** What a configuration knows of the values in the context of its requests, see context-values.ts. */
export interface ContextValues {
  /** Names of values for which the author vouches, so that the log phase may ask for them. */
  readonly vouched: ReadonlySet<string>;
  /** Those of them for which Kong has not answered in the log phase. */
  readonly unanswered: Set<string>;
  /** A plugin sets a value. Whether a log handler of this server may ask for it. */
  keep(key: string): boolean;
  /** The log phase has asked for a value that nobody has set. */
  missed(path: string, key: string): void;
}

/**
 * exit and error throw this through a handler. It is not a failure: the phase runner swallows it. It carries no stack
 * trace, because to capture one costs more than all the rest of an exit.
 */
export class ExitSignal extends Error {
  override readonly name = 'ExitSignal';

  constructor() {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super('the handler has ended the request with kong.response.exit or kong.response.error');
    Error.stackTraceLimit = limit;
  }
}
