import type { Endpoint, Reference, RouteProtocol } from './entities.ts';

/**
 * What kong.log.serialize gives in the log phase, field by field as Kong 3.9.3 writes it (measured). It is JSON from
 * Lua: a field without a value is left out, and an empty array may be an empty object.
 */

/** Header fields by lower-case name. Kong redacts `authorization` and `proxy-authorization`. */
export type LoggedHeaders = Record<string, string | string[]>;

/** One try of the balancer. */
export interface LoggedTry {
  ip: string;
  port: number;
  /** Milliseconds since the epoch. */
  balancer_start: number;
  /** Nanoseconds since the epoch; beyond what a number holds exactly. */
  balancer_start_ns: number;
  /** Milliseconds. */
  balancer_latency: number;
  /** Nanoseconds. */
  balancer_latency_ns: number;
  state?: 'next' | 'failed';
  code?: number;
}

/** The route as logged: the entity without its null fields. */
export interface LoggedRoute {
  id: string;
  created_at: number;
  updated_at: number;
  name?: string;
  protocols: RouteProtocol[];
  methods?: string[];
  hosts?: string[];
  paths?: string[];
  headers?: Record<string, string[]>;
  snis?: string[];
  sources?: Endpoint[];
  destinations?: Endpoint[];
  https_redirect_status_code: number;
  regex_priority: number;
  strip_path: boolean;
  preserve_host: boolean;
  path_handling: 'v0' | 'v1';
  request_buffering: boolean;
  response_buffering: boolean;
  expression?: string;
  priority?: number;
  tags?: string[];
  service?: Reference;
  ws_id: string;
}

/** The service as logged: the entity without its null fields. */
export interface LoggedService {
  id: string;
  created_at: number;
  updated_at: number;
  name?: string;
  protocol: RouteProtocol;
  host: string;
  port: number;
  path?: string;
  retries: number;
  connect_timeout: number;
  read_timeout: number;
  write_timeout: number;
  enabled: boolean;
  tags?: string[];
  client_certificate?: Reference;
  tls_verify?: boolean;
  tls_verify_depth?: number;
  ca_certificates?: string[];
  ws_id: string;
}

export interface LoggedConsumer {
  id: string;
  created_at: number;
  updated_at: number;
  username?: string;
  custom_id?: string;
  tags?: string[];
}

/** What records of HTTP and of stream traffic have in common. */
interface CommonRecord {
  client_ip: string;
  /** Milliseconds since the epoch. */
  started_at: number;
  /** Id of the workspace. */
  workspace: string;
  workspace_name: string;
  route?: LoggedRoute;
  service?: LoggedService;
  consumer?: LoggedConsumer;
  authenticated_entity?: { id: string; consumer_id?: string };
  tries?: LoggedTry[];
  /** What plugins added with kong.log.setSerializeValue. */
  [added: string]: unknown;
}

/** TLS of the client's connection. */
export interface LoggedTls {
  version: string;
  cipher: string;
  client_verify: string;
}

export interface HttpLogRecord extends CommonRecord {
  request: {
    id: string;
    method: string;
    uri: string;
    url: string;
    /** Bytes. */
    size: number;
    querystring: Record<string, string | true | (string | true)[]>;
    headers: LoggedHeaders;
    tls?: LoggedTls;
  };
  response: {
    status: number;
    /** Bytes. */
    size: number;
    headers: LoggedHeaders;
  };
  session?: undefined;
  upstream_uri: string;
  /** Status of the upstream; several, joined by commas, when the balancer retried; '' when it was not reached. */
  upstream_status: number | string;
  source: 'upstream' | 'kong' | 'exit' | 'error' | 'service';
  /** Milliseconds. `proxy` is -1 when the upstream was not reached. */
  latencies: { kong: number; proxy: number; request: number; receive: number };
}

export interface StreamLogRecord extends CommonRecord {
  request?: undefined;
  response?: undefined;
  session: {
    /** Bytes. */
    received: number;
    /** Bytes. */
    sent: number;
    status: number;
    server_port: number;
    tls?: LoggedTls;
  };
  upstream: {
    /** Bytes. */
    received: number;
    /** Bytes. */
    sent: number;
  };
  /** Milliseconds. */
  latencies: { kong: number; session: number };
}

/** `record.request === undefined` tells a record of a stream from one of HTTP. */
export type LogRecord = HttpLogRecord | StreamLogRecord;
