import type { Buffer } from 'node:buffer';
import type { Phase } from '../pdk/names/index.ts';

/** Header lines by lower-case name; an array where a name has several. */
export type HeadersView = Readonly<Record<string, string | readonly string[]>>;

/** One function that the plugin called, in the order in which Kong answered them. */
export interface CallView {
  /** Path without `kong.`: `request.getHeader`. Functions outside the catalogue keep their wire name. */
  readonly function: string;
  /** The arguments as they reached Kong. */
  readonly arguments: readonly unknown[];
  /** What the plugin got; undefined for setters, and where there was no answer. */
  readonly result: unknown;
  /** Why Kong refused the call, null when it did not. */
  readonly error: string | null;
  /** Whether a test's override answered. */
  readonly overridden: boolean;
}

/** A body in the forms that tests look at. */
export interface BodyView {
  readonly body: Buffer;
  /** The body as text. */
  readonly text: string;
  /** The body parsed as JSON; undefined if it is not JSON. */
  readonly json: unknown;
}

/** The answer that ended the request before, or instead of, the upstream's. */
export interface ExitView extends BodyView {
  readonly status: number;
  readonly headers: HeadersView;
  /** `plugin`: its exit or error, also the 500 for a handler that threw. `kong`: Kong's own 500 for a failed call. */
  readonly by: 'plugin' | 'kong';
}

/** A handler that threw, rejected, or ran too long. */
export interface HandlerError {
  readonly phase: Phase;
  readonly message: string;
  readonly stack: string | null;
  /** Code of a KongTsError, `PHASE_TIMEOUT` among them; null for other errors. */
  readonly code: string | null;
  /** The very value that was thrown; undefined for a timeout. */
  readonly thrown: unknown;
}

/** Kong's log levels. */
export type LogLevelName = 'debug' | 'info' | 'notice' | 'warn' | 'error' | 'crit' | 'alert' | 'emerg';

/** A line of a log. */
export interface LogView {
  readonly level: LogLevelName;
  readonly message: string;
  /** `plugin`: kong.log and the log of `setup`. `kong`: Kong's own error log. `server`: the plugin server's log. */
  readonly from: 'plugin' | 'kong' | 'server';
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An event that the plugin raised with `eventHooks.emit`. */
export interface EventView {
  readonly source: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The request as the upstream gets it; what Kong adds itself (Via, X-Forwarded-*, X-Kong-Request-Id) is left out. */
export interface UpstreamView extends BodyView {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: HeadersView;
}

/** The answer as the client gets it; what Kong adds itself (Via, Server, Date, X-Kong-*) is left out. */
export interface ResponseView extends BodyView {
  readonly status: number;
  readonly headers: HeadersView;
}

/** What one or several phases did. */
export interface Outcome {
  /** The answer that ended the request, null when it goes on. */
  readonly exit: ExitView | null;
  /** The first handler that failed, null when none did. Always null for a plugin in another process. */
  readonly error: HandlerError | null;
  /** Why Kong could not finish an event (refused call, lost connection), in the words of its log; else null. */
  readonly failure: string | null;
  readonly calls: readonly CallView[];
  readonly logs: readonly LogView[];
  readonly events: readonly EventView[];
  /** How many times the plugin waited for Kong. Each costs a turn on the socket. */
  readonly roundTrips: number;
  /** Writes of the plugin server; reads of Kong where the server is another process. */
  readonly writes: number;
  /** Null for TCP streams, and once an exit kept the request from the upstream. */
  readonly upstream: UpstreamView | null;
  /** The client's answer as it stands. Null for TCP streams. */
  readonly response: ResponseView | null;
}

/** What one phase did. */
export interface PhaseResult extends Outcome {
  readonly phase: Phase;
}

/** What all phases of a request did together. */
export interface RunResult extends Outcome {
  /** By phase, in the order in which they ran. */
  readonly phases: readonly PhaseResult[];
}
