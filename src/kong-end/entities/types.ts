/** Entities as Kong 3.9.3 shows them in its Admin API (test/fixtures/kong/admin-api-3.9.3.json): snake_case, absent is null. */

export interface Reference {
  id: string;
}

interface Base {
  id: string;
  /** Epoch seconds. */
  created_at: number;
  updated_at?: number;
  tags: string[] | null;
  /** Id of the workspace the entity lives in. */
  ws_id?: string;
}

export interface ServiceEntity extends Base {
  name: string | null;
  protocol: 'http' | 'https' | 'tcp' | 'tls' | 'tls_passthrough' | 'udp' | 'grpc' | 'grpcs' | 'ws' | 'wss';
  host: string;
  port: number;
  path: string | null;
  retries: number;
  connect_timeout: number;
  write_timeout: number;
  read_timeout: number;
  enabled: boolean;
  tls_verify: boolean | null;
  tls_verify_depth: number | null;
  ca_certificates: string[] | null;
  client_certificate: Reference | null;
}

export interface RouteEntity extends Base {
  name: string | null;
  protocols: string[];
  methods: string[] | null;
  hosts: string[] | null;
  paths: string[] | null;
  headers: Record<string, string[]> | null;
  snis: string[] | null;
  sources: { ip?: string; port?: number }[] | null;
  destinations: { ip?: string; port?: number }[] | null;
  regex_priority: number;
  path_handling: 'v0' | 'v1';
  strip_path: boolean;
  preserve_host: boolean;
  https_redirect_status_code: number;
  request_buffering: boolean;
  response_buffering: boolean;
  service: Reference | null;
}

export interface ConsumerEntity extends Base {
  username: string | null;
  custom_id: string | null;
}

export interface KeyAuthCredentialEntity extends Base {
  key: string;
  ttl: number | null;
  consumer: Reference;
}

export interface PluginEntity extends Base {
  name: string;
  instance_name: string | null;
  enabled: boolean;
  protocols: string[];
  /** Validated against the plugin's schema, defaults filled in. */
  config: Record<string, unknown>;
  route: Reference | null;
  service: Reference | null;
  consumer: Reference | null;
  /** Kong Enterprise only. */
  ordering?: null;
}

export interface UpstreamEntity extends Base {
  name: string;
  algorithm: string;
  [field: string]: unknown;
}

export interface TargetEntity extends Base {
  upstream: Reference;
  target: string;
  weight: number;
}

export interface CertificateEntity extends Base {
  cert: string;
  key: string;
  cert_alt: string | null;
  key_alt: string | null;
  snis?: string[];
}

export interface SniEntity extends Base {
  name: string;
  certificate: Reference;
}

export interface WorkspaceEntity {
  id: string;
  name: string;
  created_at: number;
  updated_at?: number;
  comment?: string | null;
}

/** One consistent view of the configuration. A change makes a new snapshot; a snapshot never changes. */
export interface ConfigSnapshot {
  /** Goes up by one with each change. */
  readonly version: number;
  /** MD5-like configuration hash as `/status` shows it. */
  readonly hash: string;
  readonly workspaces: readonly WorkspaceEntity[];
  readonly services: readonly ServiceEntity[];
  readonly routes: readonly RouteEntity[];
  readonly consumers: readonly ConsumerEntity[];
  readonly keyauthCredentials: readonly KeyAuthCredentialEntity[];
  readonly plugins: readonly PluginEntity[];
  readonly upstreams: readonly UpstreamEntity[];
  readonly targets: readonly TargetEntity[];
  readonly certificates: readonly CertificateEntity[];
  readonly snis: readonly SniEntity[];
}

/** Where the gateway reads its configuration and the Admin API changes it. */
export interface EntityStore {
  snapshot(): ConfigSnapshot;
  /** Calls back after each change, with the new snapshot; returns a function that ends it. */
  onChange(listener: (snapshot: ConfigSnapshot) => void): () => void;
}

/** A plugin that the sandbox knows: built in (key-auth) or learned from a plugin server's dump. */
export interface KnownPlugin {
  name: string;
  version: string;
  priority: number;
  phases: readonly string[];
  /** Kong's schema language: `{name, fields: [{config: {type: 'record', fields: [...]}}, ...]}`. */
  schema: { name: string; fields: Record<string, Record<string, unknown>>[]; entity_checks?: unknown[] };
}
