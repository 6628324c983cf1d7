import type { LogLevel } from './fields/protocol.ts';
import { refuse } from './lua-refusals.ts';
import { luaNgx } from './lua-ngx.ts';
import { luaText } from './lua-text.ts';
import { normalPath } from './normal-path.ts';
import { isTable, field, textOf } from './lua-source.ts';
import type { Table, LuaSource } from './lua-source.ts';
import { RequestView } from './lua-request.ts';

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value);

const fail = (text: string): never => {
  throw new Error(text);
};

/** The first entries of a table, as many as Kong's functions give. */
function atMost(table: unknown, count: unknown, name: string): unknown {
  if (!isTable(table)) return {};
  if (count === undefined) return limited(table, 100);
  if (typeof count !== 'number') return fail(`${name} must be a number`);
  if (count < 1) return fail(`${name} must be >= 1`);
  if (count > 1000) return fail(`${name} must be <= 1000`);
  return limited(table, Math.floor(count));
}

/** A value that comes twice counts twice, as it does in nginx. */
function limited(table: Table, count: number): Table {
  const part: Table = {};
  let left = count;
  for (const [name, value] of Object.entries(table)) {
    if (left <= 0) break;
    const values = Array.isArray(value) ? value.slice(0, left) : [value];
    left -= values.length;
    part[name] = values.length === 1 ? values[0] : values;
  }
  return part;
}

/** No header of a record has a longer name, whatever the Lua makes of its memory. */
const maxHeaderName = 64 * 1024;

const headerName = (name: unknown): string =>
  typeof name === 'string'
    ? name.slice(0, maxHeaderName).toLowerCase().replaceAll('_', '-')
    : fail('header name must be a string');

/**
 * The `kong.*` and `ngx.*` that custom fields may use, answered from the record: Kong has handed everything that it
 * still knows about the request to the plugin server in it.
 */
export function luaView(source: LuaSource): Table {
  const { record } = source;
  const request = new RequestView(source);
  const get =
    (...path: string[]) =>
    (): unknown =>
      field(record(), ...path);
  const responseHeaders = (): unknown => field(record(), 'response', 'headers');
  const writer =
    (level: LogLevel) =>
    (...parts: unknown[]): void =>
      source.write(level, parts.map(luaText).join(''));
  const query = (): unknown => field(record(), 'request', 'querystring');
  const answers: Table = {
    kong: {
      client: {
        get_ip: get('client_ip'),
        get_consumer: get('consumer'),
        get_credential: get('authenticated_entity'),
        get_protocol: () => request.origin?.scheme,
      },
      request: {
        get_header: (name: unknown) => first(request.headers[headerName(name)]),
        get_headers: (count: unknown) => atMost(request.headers, count, 'max_headers'),
        get_method: get('request', 'method'),
        get_path: () => normalPath(request.rawPath),
        get_raw_path: () => request.rawPath,
        get_forwarded_path: () => normalPath(request.rawPath),
        get_path_with_query: () => request.uri,
        get_raw_query: () => request.rawQuery,
        get_query: (count: unknown) => atMost(query(), count, 'max_args'),
        get_query_arg: (name: unknown) => {
          if (typeof name !== 'string') return fail('query argument name must be a string');
          const args = query();
          return first(isTable(args) && Object.hasOwn(args, name) ? args[name] : undefined);
        },
        get_scheme: () => request.origin?.scheme,
        get_forwarded_scheme: () => request.origin?.scheme,
        get_host: () => request.origin?.host,
        get_forwarded_host: () => request.origin?.host,
        get_port: () => request.origin?.port,
        get_forwarded_port: () => request.origin?.port,
        get_start_time: get('started_at'),
      },
      response: {
        get_status: get('response', 'status'),
        get_header: (name: unknown) => {
          const headers = responseHeaders();
          return first(isTable(headers) ? headers[headerName(name)] : undefined);
        },
        get_headers: (count: unknown) => atMost(responseHeaders(), count, 'max_headers'),
        get_source: () => {
          const from = get('source')();
          if (from === 'upstream') return 'service';
          return from === 'kong' ? 'exit' : from;
        },
      },
      service: {
        response: {
          get_status: () => {
            const last = /(\d+)\s*$/.exec(textOf(field(record(), 'upstream_status')))?.[1];
            return last === undefined ? undefined : Number(last);
          },
        },
      },
      version_of_record: () => {
        const headers = responseHeaders();
        const told = isTable(headers) ? `${textOf(headers.via)} ${textOf(headers.server)}` : '';
        const version = /kong\/(\d+\.\d+\.\d+)/i.exec(told)?.[1];
        return (
          version ??
          fail('kong.version is known from the headers Via and Server only; the record has none of Kong')
        );
      },
      router: { get_route: get('route'), get_service: get('service') },
      nginx: { get_subsystem: () => (field(record(), 'session') === undefined ? 'http' : 'stream') },
      vault: {
        is_reference: (text: unknown) => typeof text === 'string' && /^\{vault:\/\/[^]*\}$/.test(text),
      },
      log: {
        serialize: record,
        debug: writer('debug'),
        info: writer('info'),
        notice: writer('notice'),
        warn: writer('warn'),
        err: writer('error'),
        crit: writer('error'),
        alert: writer('error'),
        emerg: writer('error'),
      },
    },
    ngx: luaNgx(source, request, limited),
  };
  return merge(refuse(), answers);
}

/** Functions with an answer replace refused ones. */
function merge(below: Table, above: Table): Table {
  const all: Table = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = all[key];
    all[key] = isTable(under) && isTable(value) ? merge(under, value) : value;
  }
  return all;
}
