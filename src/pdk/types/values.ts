/** What JSON can hold. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Header fields by lower-case name; several lines of one name are an array in their order. */
export type Headers = Record<string, string | string[]>;

/** A header's value as a setter takes it. Numbers and booleans are sent as text; an array makes several lines. */
export type HeaderValue = string | number | boolean | readonly string[];

/** Headers as setters take them. */
export type HeadersInput = Readonly<Record<string, HeaderValue>>;

/** Decoded query arguments: `true` for one without a value (`?flag`), an array for one that occurs several times. */
export type Query = Record<string, string | true | (string | true)[]>;

/** Query arguments as setters take them: `true` makes `?flag`, `false` leaves the argument out. */
export type QueryInput = Readonly<
  Record<string, string | number | boolean | readonly (string | number | boolean)[]>
>;

/** A response body: text or bytes as they stand, anything else is sent as JSON. */
export type ExitBody = string | Uint8Array | Readonly<Record<string, unknown>> | readonly unknown[];

/** The methods that kong.service.request.setMethod takes (Kong 3.9). */
export const httpMethods = [
  'GET',
  'HEAD',
  'PUT',
  'POST',
  'DELETE',
  'OPTIONS',
  'MKCOL',
  'COPY',
  'MOVE',
  'PROPFIND',
  'PROPPATCH',
  'LOCK',
  'UNLOCK',
  'PATCH',
  'TRACE',
] as const;
export type HttpMethod = (typeof httpMethods)[number];

/** A parsed body: a JSON document, or the fields of a form (`true` for a field without a value). */
export type ParsedBody = Record<string, unknown> | unknown[];

/** What the matched path's regular expression captured. */
export interface UriCaptures {
  /** Captures in their order, without the whole match. */
  readonly unnamed: readonly string[];
  readonly named: Readonly<Record<string, string>>;
}

/** nginx's counters since it started. */
export interface NginxStatistics {
  readonly connections_active: number;
  readonly connections_reading: number;
  readonly connections_writing: number;
  readonly connections_waiting: number;
  readonly connections_accepted: number;
  readonly connections_handled: number;
  readonly total_requests: number;
}

/** Memory of one shared dictionary; text with a unit when a unit was asked for. */
export interface DictionaryStats {
  readonly capacity: number | string;
  readonly allocated_slabs: number | string;
}

/** Memory of Kong, in bytes unless a unit was asked for. */
export interface MemoryStats {
  /** By name. ProtoBuf:1 carries `kong` and `kong_db_cache` only. */
  readonly lua_shared_dicts: Readonly<Record<string, DictionaryStats>>;
  readonly workers_lua_vms: readonly {
    readonly pid: number;
    readonly http_allocated_gc: number | string;
  }[];
}

/** The parts of `{vault://name/resource/key?config}`. */
export interface VaultReference {
  readonly name: string;
  readonly resource: string;
  readonly key?: string;
  readonly version?: number;
  readonly config?: Readonly<Record<string, string>>;
}
