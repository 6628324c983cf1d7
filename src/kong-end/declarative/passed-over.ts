import { isObject } from '../schema/index.ts';
import type { PlainObject } from '../schema/index.ts';
import { passedOverKind, passedOverSections } from './passed-over-kinds.ts';
import type { EntityPath } from './problems.ts';
import { deckFields } from './problems.ts';
import { passedOver } from './walk.ts';
import type { DeclaredEntity } from './walk.ts';

/** The parts of a kong.yml that Kong knows and the sandbox does not run. */

/** Plugins that come with Kong 3.9 (key-auth, which the sandbox has, is not among them). */
const kongsOwn: ReadonlySet<string> = new Set(
  `jwt acl correlation-id cors oauth2 tcp-log udp-log file-log http-log hmac-auth basic-auth ip-restriction
  request-transformer response-transformer request-size-limiting rate-limiting response-ratelimiting syslog loggly datadog
  ldap-auth statsd bot-detection aws-lambda request-termination prometheus proxy-cache session acme grpc-gateway grpc-web
  pre-function post-function azure-functions zipkin opentelemetry ai-proxy ai-prompt-decorator ai-prompt-template
  ai-prompt-guard ai-request-transformer ai-response-transformer standard-webhooks redirect`.split(/\s+/),
);

/** The parts that were taken out of a file. */
export interface PassedOver {
  /** Names, each once. */
  readonly plugins: readonly string[];
  readonly sections: readonly string[];
  readonly deck: readonly string[];
  /** Entities that still have to be checked as Kong checks them. */
  readonly entities: readonly DeclaredEntity[];
}

/** Takes Kong's own plugins and sections out of a file, wherever they are nested. `known` are plugins that run. */
export function passOver(data: PlainObject, known: ReadonlySet<string>): PassedOver {
  const plugins = new Set<string>();
  const found = new Set<string>();
  const entities: DeclaredEntity[] = [];
  const take = (section: string, item: unknown, path: EntityPath, parent: string | null): void => {
    const kind = passedOverKind(section);
    if (!isObject(item)) return void entities.push({ kind, fields: { '': item }, path });
    const { _comment, _ignore, ...fields } = item;
    const inner = passedOverSections.filter((name) => Array.isArray(fields[name]));
    for (const name of inner) {
      for (const [at, each] of (fields[name] as unknown[]).entries())
        take(name, each, [...path, name, at], section);
      delete fields[name];
    }
    const field = kind.foreign.find(({ reference }) => reference === parent)?.field;
    if (field !== undefined && parent !== null) fields[field] ??= nested;
    entities.push({ kind, fields, path });
  };
  const visit = (entity: PlainObject, path: EntityPath, section: string | null): void => {
    for (const name of passedOverSections) {
      const list = entity[name];
      if (!Array.isArray(list) && list !== null) continue;
      if (Array.isArray(list) && list.length > 0) found.add(name);
      for (const [at, item] of ((list ?? []) as unknown[]).entries())
        take(name, item, [...path, name, at], section);
      delete entity[name];
    }
    for (const [key, value] of Object.entries(entity)) {
      if (!Array.isArray(value) || key === 'tags') continue;
      entity[key] = (value as unknown[]).map((item, at) => {
        const here = [...path, key, at];
        if (key === 'plugins' && isObject(item) && isOwn(item)) {
          take(key, item, here, section);
          return passedOver;
        }
        if (isObject(item)) visit(item, here, key);
        return item;
      });
    }
  };
  const isOwn = ({ name }: PlainObject): boolean => {
    if (typeof name !== 'string' || !kongsOwn.has(name) || known.has(name)) return false;
    plugins.add(name);
    return true;
  };
  visit(data, [], null);
  const deck = deckFields.filter((name) => data[name] !== undefined);
  return { plugins: [...plugins].sort(), sections: [...found].sort(), deck, entities };
}

/** Stands for the entity that another one is nested in. */
export const nested: unknown = Object.freeze({ id: '00000000-0000-4000-8000-000000000000' });

/** One line about the parts that were passed over, as news and as an error. Undefined if there were none. */
export function passedOverText({
  plugins,
  sections: names,
}: PassedOver): { passedOver: string; refused: string } | undefined {
  const parts = [
    ...(plugins.length === 0 ? [] : [`Kong's own plugins ${plugins.join(', ')}`]),
    ...(names.length === 0 ? [] : [`the sections ${names.join(', ')}`]),
  ];
  if (parts.length === 0) return undefined;
  const all = parts.join(' and ');
  return {
    passedOver: `${all} are passed over: the sandbox does not run them`,
    refused: `Kong knows ${all}, the sandbox does not run them and was told to be strict`,
  };
}
