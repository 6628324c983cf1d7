import type {
  Dao,
  Entity,
  KnownPlugin,
  LoadOptions,
  MutableEntityStore,
  PlainObject,
} from '../../kong-end/index.ts';

export type TargetHealth = 'HEALTHY' | 'UNHEALTHY' | 'DNS_ERROR' | 'HEALTHCHECKS_OFF';

export interface AdminOptions {
  store: MutableEntityStore;
  /** The plugins whose names and priorities are shown. Default: those of the store. */
  known?: () => readonly KnownPlugin[];
  /** `off`: entities are read only and `/config` loads them. Default: `postgres`. */
  database?: 'postgres' | 'off';
  /**
   * Workspaces as Kong Enterprise has them. Default: when the store has one besides `default`; otherwise they are not
   * there, as in Kong OSS.
   */
  workspaces?: boolean;
  /** Where `/event-hooks*` goes: `http://...` or `unix:/path`. Default: nowhere, those paths are not found. */
  eventHooksAdmin?: URL | undefined;
  /** The health of a target. Default: what was last set through the API, else healthy where checks are on. */
  health?: (upstream: Entity, target: Entity) => TargetHealth | undefined;
  /** The gateway starts plugin servers itself: `/` is a 500 then, as in Kong's worker 0. Default: false. */
  startsServers?: boolean;
  /** Shown in `/` and in the Server header. Default: 3.9.3. */
  version?: string;
  /** Default: random. */
  nodeId?: string;
  /** Process ids of the nginx workers. Default: this process's own. */
  workerPids?: () => readonly number[];
  /** More properties for `configuration` in `/`. */
  configuration?: PlainObject;
  /** How `POST /config` treats what the sandbox does not run. Default: it is passed over, and nobody hears of it. */
  loading?: Pick<LoadOptions, 'strict' | 'deck' | 'passedOver'>;
  /** Largest body in bytes. Default: 10 MiB, as Kong's. */
  bodyLimit?: number;
  /** Epoch milliseconds. Default: the clock. */
  now?: () => number;
  /** Ids of new entities. Default: random. */
  uuid?: () => string;
}

/** What the endpoints share. */
export interface AdminState {
  readonly store: MutableEntityStore;
  readonly dao: Dao;
  readonly known: readonly KnownPlugin[];
  readonly readOnly: boolean;
  readonly workspaces: boolean;
  readonly startsServers: boolean;
  readonly version: string;
  readonly nodeId: string;
  readonly workerPids: () => readonly number[];
  readonly configuration: PlainObject;
  readonly loading: Pick<LoadOptions, 'strict' | 'deck' | 'passedOver'>;
  readonly now: () => number;
  readonly health: (upstream: Entity, target: Entity) => TargetHealth;
  /** Health that was set through the API, by target id. */
  readonly forcedHealth: Map<string, TargetHealth>;
  /** Requests so far. */
  requests: number;
}

/** One request, as the endpoints see it. */
export interface Context {
  readonly state: AdminState;
  readonly method: string;
  /** Decoded path parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Id of the workspace that the request is about. */
  readonly workspace: string;
  /** What paths in answers start with: empty or `/name-of-workspace`. */
  readonly prefix: string;
  /** The body as an object; a form's text values as they are. */
  readonly body: PlainObject;
  /** The body was a form: its values are text and are read as the schema says. */
  readonly form: boolean;
  /** The body as it came. */
  readonly raw: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler = (context: Context) => Answer;
export type Methods = Partial<Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', Handler>>;

/** `/services/:services/routes` and what it does. */
export interface Endpoint {
  readonly path: string;
  readonly methods: Methods;
}
