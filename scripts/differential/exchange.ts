import type { Protocol } from '../../src/pdk/index.ts';
import type { Script, StartMode } from '../gateways/probe-plugin.ts';
import type { ExchangeOptions } from '../gateways/raw-exchange.ts';
import type { Behaviour } from '../gateways/upstream.ts';

/** 1: where the sandbox differs it is kinder than Kong and hides a fault. 2: it is harder. 3: just different. */
export type DifferenceClass = 1 | 2 | 3;

export interface Places {
  /** How the gateway calls this machine, and the upstream's port there. */
  readonly here: string;
  readonly upstream: number;
}

/** What a gateway is asked. */
export interface Exchange {
  /** Short and unique: docs name an exchange by it. */
  readonly id: string;
  readonly class: DifferenceClass;
  /** Of the probe. Default ProtoBuf:1. */
  readonly protocol?: Protocol;
  /** With a response phase. Default false. */
  readonly buffered?: boolean;
  /** Default: one service at the upstream, and a route for all paths. The probe is global. */
  readonly config?: (places: Places) => object;
  /** Whether the probe is a plugin of the configuration. Default true. */
  readonly probe?: boolean;
  readonly script?: Script;
  /** How the probe's server behaves when an instance starts. */
  readonly start?: StartMode;
  /** Lines of the head; the last two line ends and `Host: a` are added, as is `Connection: close`. */
  readonly request?: readonly string[] | { readonly raw: string };
  readonly body?: string;
  /** Whether the same request is sent before, whose answer does not count. */
  readonly twice?: boolean;
  readonly upstream?: Behaviour;
  readonly options?: ExchangeOptions;
  /** A call of the Admin API in place of a request. */
  readonly admin?: {
    readonly method: string;
    readonly path: string;
    readonly body?: string;
    readonly type?: string;
  };
  /** What a real Kong 3.9.3 answered, as far as it was written down. */
  readonly kong: Expected;
}

/** Text, or a pattern for it; null where it was not there; a list for a header of several lines. */
export type Wanted = string | number | boolean | RegExp | null | readonly string[];

export interface Expected {
  /** Null where no head came. */
  readonly status?: number | null;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, Wanted>>;
  readonly body?: string | RegExp;
  /** Names of headers in the order in which they came first; others may be between them. */
  readonly order?: readonly string[];
  /** The answer as it came, with its chunk sizes. */
  readonly raw?: RegExp;
  /** Whether `response.size` of the record is what the client got. */
  readonly sizeAsSent?: boolean;
  /** By path: `request.querystring.apikey`. */
  readonly record?: Readonly<Record<string, Wanted>>;
  readonly upstreamRequests?: number;
  /** The last request that the upstream got. */
  readonly upstream?: {
    readonly line?: string;
    readonly headers?: Readonly<Record<string, Wanted>>;
    readonly body?: string;
  };
  /** Values of PDK calls, by method; `{ failed: true }` where Kong did not answer. */
  readonly calls?: Readonly<Record<string, unknown>>;
  /** Whether the configuration was taken. */
  readonly config?: 'refused';
  /** quick: an answer within a second. none: none while one waited. */
  readonly timing?: 'quick' | 'slow' | 'none';
}
