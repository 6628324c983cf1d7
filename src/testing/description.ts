import type { ConsumerEntity, RouteEntity, ServiceEntity } from '../kong-end/index.ts';

/** Header lines by name; an array is several lines of one name. */
export type HeadersDescription = Readonly<Record<string, string | readonly string[]>>;

/** A body: text, bytes, or an object that is sent as JSON (with that content type, unless the headers have one). */
export type BodyDescription = string | Uint8Array | Readonly<Record<string, unknown>> | readonly unknown[];

/** The request as the client sends it. Everything has a default: `GET http://localhost:8000/`, no body. */
export interface RequestDescription {
  /** Default: the first of the route's methods, else `GET`. */
  readonly method?: string;
  /** Scheme, host, port, path and query in one; the single fields win over its parts. */
  readonly url?: string;
  /** Default `http`; `https` when the route takes nothing else. */
  readonly scheme?: 'http' | 'https';
  /** Default: the first of the route's hosts, else `localhost`. */
  readonly host?: string;
  /** The port of Kong that the request comes in on. Default 8000, 8443 for https. */
  readonly port?: number;
  /** As it stands in the request line (percent-encoded). Default: the route's first plain path, else `/`. */
  readonly path?: string;
  /** Text without the question mark, or arguments: `true` is one without a value (`?flag`). */
  readonly query?: string | Readonly<Record<string, string | true | readonly (string | true)[]>>;
  /** `host` and `accept` are added when they are not here. */
  readonly headers?: HeadersDescription;
  readonly body?: BodyDescription;
  /** Default `127.0.0.1`. */
  readonly clientIp?: string;
  /** Default 54321. */
  readonly clientPort?: number;
  /** Default `1.1`. */
  readonly httpVersion?: string;
  /** Server name of the TLS handshake. Default: the host. */
  readonly sni?: string;
  /** Whether the client is among Kong's `trusted_ips`, so that its X-Forwarded-* headers count. Default false. */
  readonly trusted?: boolean;
}

/** What the upstream answers. Default: 200 with an empty body. */
export interface ResponseDescription {
  readonly status?: number;
  readonly headers?: HeadersDescription;
  readonly body?: BodyDescription;
}

/** Fields of an entity as the Admin API takes them; what is left out gets Kong's default. */
export type EntityDescription<Entity> = { readonly [Field in keyof Entity]?: Entity[Field] };

/** The credential that an authentication plugin has found. */
export interface CredentialDescription {
  readonly id?: string;
  readonly consumer_id?: string;
  readonly [field: string]: unknown;
}

/**
 * Values by name. Text, numbers, booleans and plain objects are tables and values of Lua; a function, an object that
 * holds itself and a Map with numbers as keys are what Kong cannot send, or not over each protocol.
 */
export interface LeftByLua {
  /** In `kong.ctx.shared`. */
  readonly shared?: Readonly<Record<string, unknown>>;
  /** In nginx's own context, which `kong.nginx.getCtx` reads. */
  readonly nginx?: Readonly<Record<string, unknown>>;
}

/** What Kong knows about one request. */
export interface KongDescription {
  readonly request?: RequestDescription;
  /** The route that the request meets. Default: one with the path `/`. */
  readonly route?: EntityDescription<Omit<RouteEntity, 'service' | 'ws_id'>>;
  /** The route's service; null for a route without one. Default: `http://upstream.test:80`. */
  readonly service?: EntityDescription<Omit<ServiceEntity, 'ws_id'>> | null;
  /** Who an authentication plugin has found before this plugin runs. Default: nobody. */
  readonly consumer?: EntityDescription<ConsumerEntity> | null;
  readonly credential?: CredentialDescription | null;
  /** Consumers that exist besides, for `kong.client.loadConsumer`. */
  readonly consumers?: readonly EntityDescription<ConsumerEntity>[];
  /** What Lua plugins have left in the request's context before its first phase. Default: nothing. */
  readonly leftByLua?: LeftByLua;
  /** What the upstream answers. */
  readonly response?: ResponseDescription;
  /** Name of the workspace. Default `default`. */
  readonly workspace?: string;
  /** `stream` for a TCP connection (preread and log). Default `http`, `stream` for a plugin that has preread only. */
  readonly subsystem?: 'http' | 'stream';
  /** Bodies above this go to a file, as Kong's client_body_buffer_size. Bytes, default 8192. */
  readonly bodyBufferBytes?: number;
}
