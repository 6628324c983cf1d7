/**
 * Kong 3.9's entities as a plugin sees them. Field names are Kong's; a field that Kong has no value for is null.
 * Optional fields travel over MsgPack:1 only: ProtoBuf:1's messages lack them.
 */

/** A link to another entity. */
export interface Reference {
  readonly id: string;
}

export interface Consumer {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created_at: number;
  readonly username: string | null;
  readonly custom_id: string | null;
  readonly tags: readonly string[] | null;
  /** Seconds since the epoch. */
  readonly updated_at?: number;
}

/** The credential of an authenticated consumer. Its other fields depend on the auth plugin and need MsgPack:1. */
export interface Credential {
  readonly id: string | null;
  readonly consumer_id: string | null;
  readonly [field: string]: unknown;
}

/** What authenticate takes as consumer: an entity of Kong, or a virtual one of the plugin's own. */
export type ConsumerInput = Partial<Consumer>;

/** What authenticate takes as credential. */
export interface CredentialInput {
  readonly id?: string;
  readonly consumer_id?: string;
  readonly [field: string]: unknown;
}

export type RouteProtocol =
  'grpc' | 'grpcs' | 'http' | 'https' | 'tcp' | 'tls' | 'tls_passthrough' | 'udp' | 'ws' | 'wss';

/** A source or destination of a stream route. */
export interface Endpoint {
  readonly ip?: string;
  readonly port?: number;
}

export interface Route {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created_at: number;
  /** Seconds since the epoch. */
  readonly updated_at: number;
  readonly name: string | null;
  readonly protocols: readonly RouteProtocol[];
  readonly methods: readonly string[] | null;
  readonly hosts: readonly string[] | null;
  readonly paths: readonly string[] | null;
  readonly https_redirect_status_code: number;
  readonly regex_priority: number;
  readonly strip_path: boolean;
  readonly preserve_host: boolean;
  readonly snis: readonly string[] | null;
  readonly tags: readonly string[] | null;
  /** null for a route without a service. */
  readonly service: Reference | null;
  readonly headers?: Readonly<Record<string, readonly string[]>> | null;
  readonly sources?: readonly Endpoint[] | null;
  readonly destinations?: readonly Endpoint[] | null;
  readonly path_handling?: 'v0' | 'v1';
  readonly request_buffering?: boolean;
  readonly response_buffering?: boolean;
  /** Of a router with `router_flavor = expressions`. */
  readonly expression?: string | null;
  readonly priority?: number | null;
  /** Id of the workspace. */
  readonly ws_id?: string;
}

export interface Service {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created_at: number;
  /** Seconds since the epoch. */
  readonly updated_at: number;
  readonly name: string | null;
  readonly retries: number;
  readonly protocol: RouteProtocol;
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
  /** Milliseconds. */
  readonly connect_timeout: number;
  /** Milliseconds. */
  readonly write_timeout: number;
  /** Milliseconds. */
  readonly read_timeout: number;
  readonly tags: readonly string[] | null;
  readonly client_certificate: Reference | null;
  readonly enabled?: boolean;
  readonly tls_verify?: boolean | null;
  readonly tls_verify_depth?: number | null;
  readonly ca_certificates?: readonly string[] | null;
  /** Id of the workspace. */
  readonly ws_id?: string;
}
