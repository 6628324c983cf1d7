import { createHash } from 'node:crypto';
import { KongTsError } from 'kong-ts';

type Table = Record<string, unknown>;

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field of the record by path; undefined when something on the way is absent. */
function field(record: Table, ...path: string[]): unknown {
  let value: unknown = record;
  for (const key of path) {
    if (!isTable(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value);

/** Kong's headers and query arguments: single values as they are, repeated ones as a list. */
function lookUp(
  record: Table,
  part: readonly string[],
  name: unknown,
  fold: (name: string) => string,
): unknown {
  return first(field(record, ...part, fold(String(name))));
}

const headerName = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** Functions that Kong has and a plugin server cannot have in the log phase: what they need is gone by then. */
function refuse(name: string, hint: string): () => never {
  return () => {
    throw new KongTsError(
      'LUA_FAILED',
      `${name} cannot be had in the log phase of an external plugin. ${hint}`,
    );
  };
}

const notRecorded =
  'The record does not hold it; set it in an earlier phase with kong.log.set_serialize_value.';

export interface LuaLog {
  write(level: 'debug' | 'info' | 'notice' | 'warn' | 'error', text: string): void;
}

/**
 * The `kong.*` and `ngx.*` that custom fields may use, answered from the record: Kong has handed everything that it
 * still knows about the request to the plugin server in it.
 *
 * @param current the parsed record of the request whose fields are being computed
 */
export function luaView(current: () => Table, log: LuaLog, wall: () => number): Table {
  const url = (): URL | null => {
    const text = field(current(), 'request', 'url');
    return typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  };
  const uri = (): string => textOf(field(current(), 'request', 'uri'));
  const get =
    (...path: string[]) =>
    (): unknown =>
      field(current(), ...path);
  const writer =
    (level: 'debug' | 'info' | 'notice' | 'warn' | 'error') =>
    (...parts: unknown[]): void =>
      log.write(level, parts.map(String).join(''));
  return {
    kong: {
      client: {
        get_ip: get('client_ip'),
        get_consumer: get('consumer'),
        get_credential: get('authenticated_entity'),
        get_forwarded_ip: refuse('kong.client.get_forwarded_ip', 'kong.client.get_ip() is client_ip.'),
        get_port: refuse('kong.client.get_port', notRecorded),
      },
      request: {
        get_header: (name: unknown) => lookUp(current(), ['request', 'headers'], name, headerName),
        get_headers: get('request', 'headers'),
        get_method: get('request', 'method'),
        get_path: () => uri().split('?')[0],
        get_raw_path: () => uri().split('?')[0],
        get_path_with_query: uri,
        get_raw_query: () => (uri().includes('?') ? uri().slice(uri().indexOf('?') + 1) : ''),
        get_query: get('request', 'querystring'),
        get_query_arg: (name: unknown) => lookUp(current(), ['request', 'querystring'], name, String),
        get_scheme: () => url()?.protocol.replace(':', ''),
        get_host: () => url()?.hostname,
        get_port: () =>
          url()?.port === '' ? (url()?.protocol === 'https:' ? 443 : 80) : Number(url()?.port),
        get_start_time: get('started_at'),
        get_body: refuse('kong.request.get_body', notRecorded),
        get_raw_body: refuse('kong.request.get_raw_body', notRecorded),
        get_http_version: refuse('kong.request.get_http_version', notRecorded),
        get_uri_captures: refuse('kong.request.get_uri_captures', notRecorded),
      },
      response: {
        get_status: get('response', 'status'),
        get_header: (name: unknown) => lookUp(current(), ['response', 'headers'], name, headerName),
        get_headers: get('response', 'headers'),
        get_source: () => {
          const source = field(current(), 'source');
          return source === 'upstream' ? 'service' : source === 'kong' ? 'exit' : source;
        },
        get_raw_body: refuse('kong.response.get_raw_body', notRecorded),
      },
      service: {
        response: {
          get_status: () => {
            const last = /(\d+)\s*$/.exec(textOf(field(current(), 'upstream_status')))?.[1];
            return last === undefined ? undefined : Number(last);
          },
          get_header: refuse('kong.service.response.get_header', 'Use kong.response.get_header.'),
          get_headers: refuse('kong.service.response.get_headers', 'Use kong.response.get_headers.'),
        },
      },
      router: { get_route: get('route'), get_service: get('service') },
      nginx: { get_subsystem: () => (field(current(), 'session') === undefined ? 'http' : 'stream') },
      log: {
        serialize: current,
        debug: writer('debug'),
        info: writer('info'),
        notice: writer('notice'),
        warn: writer('warn'),
        err: writer('error'),
        crit: writer('error'),
        alert: writer('error'),
        emerg: writer('error'),
        set_serialize_value: refuse(
          'kong.log.set_serialize_value',
          'Return the value, and give its dotted name as the key in custom_fields_by_lua.',
        ),
      },
    },
    ngx: {
      now: () => wall() / 1000,
      time: () => Math.floor(wall() / 1000),
      encode_base64: (text: unknown) => Buffer.from(String(text), 'utf8').toString('base64'),
      decode_base64: (text: unknown) => Buffer.from(String(text), 'base64').toString('utf8'),
      md5: (text: unknown) => createHash('md5').update(String(text)).digest('hex'),
      escape_uri: (text: unknown) => encodeURIComponent(String(text)),
      unescape_uri: (text: unknown) => {
        try {
          return decodeURIComponent(String(text).replaceAll('+', ' '));
        } catch {
          return String(text);
        }
      },
      utctime: () => new Date(wall()).toISOString().slice(0, 19).replace('T', ' '),
      req: { get_headers: get('request', 'headers'), get_method: get('request', 'method') },
    },
  };
}
