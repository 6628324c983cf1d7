import { compileSchema } from '../../../../src/kong-end/schema/index.ts';
import { adminExchanges } from './records.ts';

/**
 * The verdict of Kong's http-log on a configuration: its schema as `GET /schemas/plugins/http-log` showed it on
 * Kong 3.9.3, and a model of the checks in Lua that a schema on the wire does not show (`typedefs.url`,
 * `typedefs.header_name`, the plugin's own check of user info).
 */

export type Field = Record<string, unknown>;
type Definition = Parameters<typeof compileSchema>[0];
type Schema = ReturnType<typeof compileSchema>;

/** A URL as LuaSocket 3.0-rc1 takes it apart, in its order: fragment, scheme, authority, user info, port. */
export function luaSocketUrl(url: string): { scheme?: string; host?: string; userInfo?: string } {
  let rest = url.includes('#') ? url.slice(0, url.indexOf('#')) : url;
  const parsed: { scheme?: string; host?: string; userInfo?: string } = {};
  const colon = rest.indexOf(':');
  if (colon > 0 && /^[A-Za-z0-9][A-Za-z0-9+.-]*$/.test(rest.slice(0, colon))) {
    parsed.scheme = rest.slice(0, colon);
    rest = rest.slice(colon + 1);
  }
  if (!rest.startsWith('//')) return parsed;
  let authority = rest.slice(2).split('/')[0] ?? '';
  const at = authority.indexOf('@');
  if (at >= 0) {
    parsed.userInfo = authority.slice(0, at);
    authority = authority.slice(at + 1);
  }
  const port = authority.lastIndexOf(':');
  if (port >= 0 && !authority.slice(port).includes(']')) authority = authority.slice(0, port);
  if (authority !== '') parsed.host = authority;
  return parsed;
}

function urlError(value: unknown): string | undefined {
  const { host, scheme } = luaSocketUrl(String(value));
  if (host === undefined) return 'missing host in url';
  return scheme === undefined ? 'missing scheme in url' : undefined;
}

const headerNameError = (value: unknown): string | undefined =>
  /^[a-zA-Z0-9_-]+$/.test(String(value))
    ? undefined
    : "bad header name, allowed characters are A-Z, a-z, 0-9, '_', and '-'";

export const configOf = (fields: unknown): Field =>
  (Object.assign({}, ...(fields as Field[])) as { config: Field }).config;

const recorded = adminExchanges.find(
  ({ request }) => request.method === 'GET' && request.path === '/schemas/plugins/http-log',
)?.response.body as Field;

/** The names of http-log's fields. */
export const httpLogFields = Object.keys(
  Object.assign({}, ...(configOf(recorded['fields'])['fields'] as Field[])) as Field,
);

function withLuaChecks(): Schema {
  const copy = structuredClone(recorded);
  const fields = Object.assign({}, ...(configOf(copy['fields'])['fields'] as Field[])) as Record<
    string,
    Field
  >;
  Object.assign(fields['http_endpoint'] ?? {}, { custom_validator: urlError });
  Object.assign((fields['headers']?.['keys'] ?? {}) as Field, { custom_validator: headerNameError });
  return compileSchema({ name: 'plugins', ...copy } as unknown as Definition);
}

const httpLog = withLuaChecks();

export type Outcome = { errors: Field } | { config: Field };

const plain = (value: unknown): Field =>
  JSON.parse(JSON.stringify(value ?? {}, (_key, member: unknown) => member ?? undefined)) as Field;

/** What a schema makes of a configuration; absent and null are the same in it. */
export function outcomeOf(schema: Schema, config: unknown): Outcome {
  const result = schema.process({ config: structuredClone(config) }) as unknown as {
    value?: { config?: Field };
    errors?: Field;
  };
  if (result.errors !== undefined) return { errors: plain(result.errors) };
  return { config: plain(result.value?.config) };
}

/** http-log's verdict, without the check of user info. */
export const httpLogOutcome = (config: unknown): Outcome => outcomeOf(httpLog, config);

const headersOf = (config: Field): [string, unknown][] => Object.entries((config['headers'] ?? {}) as Field);

/** Whether http-log refuses a configuration that its schema takes: credentials are given twice. */
export const hasBothCredentials = (config: Field): boolean =>
  luaSocketUrl(String(config['http_endpoint'])).userInfo !== undefined &&
  headersOf(config).some(([name]) => name.toLowerCase() === 'authorization');

/** What http-log takes and never sends a record with, and a schema can say. (A reference is looked at later.) */
export function isNeverSent(config: Field): boolean {
  const endpoint = String(config['http_endpoint']);
  const hasScheme = endpoint.startsWith('{vault:') || /^https?$/i.test(luaSocketUrl(endpoint).scheme ?? '');
  return !hasScheme || hasConnectionHeader(config);
}

/** Whether a name is there that belongs to the connection or the body. */
export const hasConnectionHeader = (config: unknown): boolean =>
  headersOf((typeof config === 'object' && config !== null ? config : {}) as Field).some(([name]) =>
    /^(content-length|transfer-encoding|expect|upgrade|keep-alive)$/i.test(name),
  );
