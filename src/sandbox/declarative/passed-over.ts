import { isObject } from '../../kong-schema/index.ts';
import type { PlainObject } from '../../kong-schema/index.ts';

/** What a kong.yml may hold that Kong knows and the sandbox does not run. */

/** Plugins that come with Kong 3.9 (key-auth, which the sandbox has, is not among them). */
const kongsOwn: ReadonlySet<string> = new Set(
  `jwt acl correlation-id cors oauth2 tcp-log udp-log file-log http-log hmac-auth basic-auth ip-restriction
  request-transformer response-transformer request-size-limiting rate-limiting response-ratelimiting syslog loggly datadog
  ldap-auth statsd bot-detection aws-lambda request-termination prometheus proxy-cache session acme grpc-gateway grpc-web
  pre-function post-function azure-functions zipkin opentelemetry ai-proxy ai-prompt-decorator ai-prompt-template
  ai-prompt-guard ai-request-transformer ai-response-transformer standard-webhooks redirect`.split(/\s+/),
);

/** Sections of the declarative format whose entities change nothing in the sandbox. */
const sections = [
  ...['vaults', 'ca_certificates', 'keys', 'key_sets', 'filter_chains', 'acls', 'basicauth_credentials'],
  ...['hmacauth_credentials', 'jwt_secrets', 'oauth2_credentials', 'oauth2_tokens', 'consumer_groups'],
] as const;

/** What was taken out of a file: names of plugins and of sections, each once. */
export interface PassedOver {
  readonly plugins: readonly string[];
  readonly sections: readonly string[];
}

/** Takes Kong's own plugins and sections out of a file, wherever they are nested. `known` are plugins that run. */
export function passOver(data: PlainObject, known: ReadonlySet<string>): PassedOver {
  const plugins = new Set<string>();
  const found = new Set<string>();
  const visit = (entity: PlainObject): void => {
    for (const name of sections) {
      if (!Array.isArray(entity[name]) && entity[name] !== null) continue;
      if (Array.isArray(entity[name]) && entity[name].length > 0) found.add(name);
      delete entity[name];
    }
    for (const [key, value] of Object.entries(entity)) {
      if (!Array.isArray(value)) continue;
      const list = value as unknown[];
      const kept = key === 'plugins' ? list.filter((plugin) => !isOwn(plugin)) : list;
      if (kept.length < list.length) entity[key] = kept;
      for (const item of kept) if (isObject(item) && key !== 'tags') visit(item);
    }
  };
  const isOwn = (plugin: unknown): boolean => {
    const name = isObject(plugin) ? plugin['name'] : undefined;
    if (typeof name !== 'string' || !kongsOwn.has(name) || known.has(name)) return false;
    plugins.add(name);
    return true;
  };
  visit(data);
  return { plugins: [...plugins].sort(), sections: [...found].sort() };
}

/** One line about what was passed over, as news and as an error; undefined where nothing was. */
export function passedOverText({
  plugins,
  sections: names,
}: PassedOver): { passedOver: string; refused: string } | undefined {
  const parts = [
    ...(plugins.length === 0 ? [] : [`Kong's own plugins ${plugins.join(', ')}`]),
    ...(names.length === 0 ? [] : [`the sections ${names.join(', ')}`]),
  ];
  if (parts.length === 0) return undefined;
  const what = parts.join(' and ');
  return {
    passedOver: `${what} are passed over: the sandbox does not run them`,
    refused: `Kong knows ${what}, the sandbox does not run them and was told to be strict`,
  };
}
