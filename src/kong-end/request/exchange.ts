import type { Phase, Protocol } from '../../pdk/names/index.ts';
import type {
  ConsumerEntity,
  KeyAuthCredentialEntity,
  PluginEntity,
  RouteEntity,
  ServiceEntity,
} from '../entities/types.ts';
import type { NodeState } from './node-state.ts';
import type { PhaseReport } from './phase-report.ts';

/** How a phase of a plugin ended. `exit`: the plugin (or Kong, after a failure) has made the answer. */
export type PhaseOutcome = 'continue' | 'exit';

/** Code that can be run for a plugin's phases: built in, or a plugin server at the other end of a socket. */
export interface PluginHandler {
  readonly name: string;
  readonly version: string;
  readonly priority: number;
  readonly protocol: Protocol | 'builtin';
  readonly phases: ReadonlySet<string>;
  run(phase: Phase, exchange: Exchange, plugin: BoundPlugin): Promise<PhaseOutcome>;
  /** Called when these plugin ids are the only ones left. */
  retain?(pluginIds: ReadonlySet<string>): void;
}

/** A plugin entity together with the code that runs it and the configuration that the code gets. */
export interface BoundPlugin {
  readonly entity: PluginEntity;
  readonly handler: PluginHandler;
  /** Kong's `__seq__`: rises whenever plugins are read anew. */
  readonly seq: number;
  /** Kong's cache key of the entity. */
  readonly key: string;
}

export interface TlsInfo {
  readonly version: string;
  readonly cipher: string;
  readonly sni: string | null;
  /** Client certificate chain in PEM, null without one. */
  readonly clientCertificate: string | null;
}

/** One attempt to reach a target, as `kong.log.serialize` lists it. */
export interface Try {
  ip?: string;
  port?: number;
  balancer_start: number;
  balancer_start_ns: number;
  /** Missing if the balancer failed. */
  balancer_latency?: number;
  balancer_latency_ns?: number;
  state?: 'failed';
  code?: number;
}

/** The destination of the exchange. Plugins change it in access or preread. */
export interface Destination {
  scheme: string;
  host: string;
  port: number;
  retries: number;
  connectTimeoutMs: number;
  writeTimeoutMs: number;
  readTimeoutMs: number;
  disableTls: boolean;
}

export type Credential =
  KeyAuthCredentialEntity | { id?: string; consumer_id?: string; consumer?: { id: string } };

export interface SerializeValue {
  key: string;
  value: unknown;
  mode: 'set' | 'add' | 'replace';
}

/** How many bytes a stream session has carried; zeros for HTTP. */
export interface SessionState {
  status: number;
  readonly traffic: { received: number; sent: number; upstreamReceived: number; upstreamSent: number };
  readonly latencies: { kong: number; session: number };
}

/** The data of one connection or request on its way through the phases. */
export class Exchange {
  readonly subsystem: 'http' | 'stream';
  readonly node: NodeState;
  /** Which simulated nginx worker handles it. */
  readonly worker: number;
  /** Epoch milliseconds, with fractions. */
  readonly startedAt = performance.timeOrigin + performance.now();
  readonly client: { ip: string; port: number };
  /** The port that it came in on. */
  readonly port: number;
  tls: TlsInfo | null;
  readonly shared = new Map<unknown, unknown>();
  readonly ngxContext = new Map<unknown, unknown>();
  readonly serializeValues: SerializeValue[] = [];
  route: RouteEntity | null = null;
  service: ServiceEntity | null = null;
  consumer: ConsumerEntity | null = null;
  credential: Credential | null = null;
  workspace: { id: string; name: string } | null = null;
  destination: Destination | null = null;
  readonly tries: Try[] = [];
  /** nginx's status of each try that failed: what `$upstream_status` lists before the answer's. */
  readonly tryStatuses: number[] = [];
  /** Plugins found for it, null before routing. */
  plugins: BoundPlugin[] | null = null;
  clientVerify: string | null = null;
  /** Client address after X-Real-IP of a trusted peer. */
  realIp: string;
  /** Host header for the upstream that a plugin or preserve_host asked for; null: from the target. */
  upstreamHost: string | null = null;
  /** The value of kong.service.set_tls_verify, null if no plugin called it. */
  tlsVerify: boolean | null = null;
  /** Set when a plugin or a failure ended the exchange before it went to the upstream. */
  aborted: { status: number; body: Buffer | null } | null = null;
  readonly session: SessionState = {
    status: 200,
    traffic: { received: 0, sent: 0, upstreamReceived: 0, upstreamSent: 0 },
    latencies: { kong: 0, session: 0 },
  };
  /** The record of kong.log.serialize, made once when the log phase starts. */
  serialized: string | null = null;

  /** Gets a report of each phase of a plugin at the other end of a socket. Null if nobody wants any. */
  phaseReports: PhaseReport[] | null = null;

  constructor(
    node: NodeState,
    subsystem: 'http' | 'stream',
    from: { ip: string; port: number },
    port: number,
    worker: number,
    tls: TlsInfo | null,
  ) {
    this.node = node;
    this.subsystem = subsystem;
    this.client = from;
    this.realIp = from.ip;
    this.port = port;
    this.worker = worker;
    this.tls = tls;
  }

  /** Ends the exchange with a status of Kong's own, before or instead of an answer of the upstream. */
  abort(status: number, body: Buffer | null = null): void {
    this.aborted ??= { status, body };
  }
}

export const now = (): number => performance.timeOrigin + performance.now();
