import type { Consumer, Credential, Route, Service } from './types/entities.ts';

type Fields = Record<string, unknown>;

/**
 * Makes Kong's entities equal over both protocols. A field without a value is null. A zero that ProtoBuf:1 leaves out
 * is zero again. Fields that only MsgPack:1 carries are kept as they are.
 */
function fill<T>(value: unknown, defaults: Fields): T | null {
  if (typeof value !== 'object' || value === null) return null;
  const given = value as Fields;
  const out: Fields = {};
  for (const name of Object.keys(defaults)) out[name] = given[name] ?? defaults[name];
  for (const [name, field] of Object.entries(given)) {
    if (!(name in defaults) && name !== '__proto__') out[name] = field;
  }
  for (const name of lists) if (name in out) out[name] = toList(out[name]);
  return out as T;
}

/** Names of fields that are lists; an empty one of Lua's arrives as an empty map. */
const lists = ['tags', 'protocols', 'methods', 'hosts', 'paths', 'snis', 'sources', 'destinations'];

function toList(value: unknown): unknown {
  return Array.isArray(value) && value.length > 0 ? value : null;
}

export function toConsumer(value: unknown): Consumer | null {
  return fill<Consumer>(value, { id: '', created_at: 0, username: null, custom_id: null, tags: null });
}

export function toCredential(value: unknown): Credential | null {
  return fill<Credential>(value, { id: null, consumer_id: null });
}

export function toRoute(value: unknown): Route | null {
  return fill<Route>(value, {
    id: '',
    created_at: 0,
    updated_at: 0,
    name: null,
    protocols: null,
    methods: null,
    hosts: null,
    paths: null,
    https_redirect_status_code: 0,
    regex_priority: 0,
    strip_path: false,
    preserve_host: false,
    snis: null,
    tags: null,
    service: null,
  });
}

export function toService(value: unknown): Service | null {
  return fill<Service>(value, {
    id: '',
    created_at: 0,
    updated_at: 0,
    name: null,
    retries: 0,
    protocol: '',
    host: '',
    port: 0,
    path: null,
    connect_timeout: 0,
    write_timeout: 0,
    read_timeout: 0,
    tags: null,
    client_certificate: null,
  });
}
