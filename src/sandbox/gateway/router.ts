import { messageOf } from '../../errors.ts';
import type { ConfigSnapshot, RouteEntity, ServiceEntity } from '../entities/types.ts';
import type { HeaderList } from './headers.ts';
import type { SandboxLog } from './log.ts';
import { compilePattern } from './pattern.ts';
import { compileHosts, type HostMatcher } from './router-hosts.ts';
import { sanitizePostfix } from './upstream-uri.ts';

/** What the router looks at. */
export interface RouterRequest {
  readonly method: string;
  /** Host without port, lower case. */
  readonly host: string;
  readonly port: number;
  /** Normalized path. */
  readonly path: string;
  readonly headers: HeaderList;
  readonly sni: string | null;
  readonly tls: boolean;
}

export interface UriCaptures {
  /** Element 0 is the whole match. */
  unnamed: string[];
  named: Record<string, string>;
}

export interface RouteMatch {
  readonly route: RouteEntity;
  readonly service: ServiceEntity | null;
  /** The part of the path that the route matched when it is stripped, else null. */
  readonly prefix: string | null;
  /** What is left of the path after the matched part. */
  readonly postfix: string;
  readonly captures: UriCaptures | null;
}

interface PathMatcher {
  readonly length: number;
  readonly regex: RegExp | null;
  readonly prefix: string;
}

interface Entry {
  readonly route: RouteEntity;
  readonly service: ServiceEntity | null;
  readonly path: PathMatcher | null;
  readonly hosts: HostMatcher | null;
  readonly headers: [name: string, test: (value: string) => boolean][];
  readonly weight: number;
  readonly plainHosts: boolean;
}

const httpProtocols = new Set(['http', 'https', 'grpc', 'grpcs', 'ws', 'wss']);

/** Kong's router: which route a request meets. Order of preference as in Kong 3.9's default (traditional_compatible). */
export class Router {
  private readonly entries: Entry[] = [];

  constructor(snapshot: ConfigSnapshot, log: SandboxLog) {
    const services = new Map(snapshot.services.map((service) => [service.id, service]));
    for (const route of snapshot.routes) {
      if (!route.protocols.some((protocol) => httpProtocols.has(protocol))) continue;
      const service = route.service === null ? null : (services.get(route.service.id) ?? null);
      if (service?.enabled === false) continue;
      try {
        this.entries.push(...entriesOf(route, service));
      } catch (error) {
        log('error', `[router] route ${route.name ?? route.id} is left out: ${messageOf(error)}`);
      }
    }
    this.entries.sort(compare);
  }

  /** The best match, null when no route fits. */
  match(request: RouterRequest): RouteMatch | null {
    for (const entry of this.entries) {
      if (!fits(entry, request)) continue;
      const { path, route, service } = entry;
      if (path === null)
        return {
          route,
          service,
          prefix: null,
          postfix: sanitizePostfix(request.path.slice(1)),
          captures: null,
        };
      if (path.regex === null) {
        if (request.path.startsWith(path.prefix)) return matched(entry, request.path, path.prefix, null);
        continue;
      }
      const found = path.regex.exec(request.path);
      if (found !== null) return matched(entry, request.path, found[0], capturesOf(found));
    }
    return null;
  }
}

function matched(entry: Entry, path: string, prefix: string, captures: UriCaptures | null): RouteMatch {
  return {
    route: entry.route,
    service: entry.service,
    prefix: entry.route.strip_path ? prefix : null,
    postfix: sanitizePostfix(path.slice(prefix.length)),
    captures,
  };
}

function capturesOf(found: RegExpExecArray): UriCaptures | null {
  if (found.length === 1) return null;
  const named = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries((found.groups ?? {}) as Record<string, string | undefined>))
    if (value !== undefined) named[name] = value;
  return { unnamed: found.map((each: string | undefined) => each ?? ''), named };
}

function fits(entry: Entry, request: RouterRequest): boolean {
  const { route } = entry;
  if (route.methods !== null && route.methods.length > 0 && !route.methods.includes(request.method))
    return false;
  if (entry.hosts !== null && !entry.hosts.matches(request.host, request.port)) return false;
  if (request.tls && route.snis !== null && route.snis.length > 0) {
    if (request.sni === null || !route.snis.includes(request.sni)) return false;
  }
  return entry.headers.every(([name, test]) => request.headers.getAll(name).some(test));
}

function entriesOf(route: RouteEntity, service: ServiceEntity | null): Entry[] {
  const headers = headerTests(route);
  const hosts = compileHosts(route.hosts ?? []);
  const some = (list: readonly unknown[] | null): number => (list !== null && list.length > 0 ? 1 : 0);
  const weight =
    some(route.methods) +
    some(route.hosts) +
    some(route.paths) +
    some(route.snis) +
    Math.min(1, headers.length);
  const paths = some(route.paths) === 0 ? [null] : (route.paths ?? []).map(compilePath);
  return paths.map((path) => ({
    route,
    service,
    path,
    hosts,
    headers,
    weight,
    plainHosts: hosts !== null && hosts.plain,
  }));
}

function compilePath(path: string): PathMatcher {
  if (path.startsWith('~')) {
    const source = path.slice(1);
    return { length: source.length, regex: compilePattern(source), prefix: '' };
  }
  return { length: path.length, regex: null, prefix: path };
}

function headerTests(route: RouteEntity): Entry['headers'] {
  return Object.entries(route.headers ?? {}).map(([name, values]) => {
    const tests = values.map((value): ((text: string) => boolean) => {
      if (value.startsWith('~*')) {
        const pattern = compilePattern(value.slice(2), false);
        return (text) => pattern.test(text);
      }
      const lower = value.toLowerCase();
      return (text) => text.toLowerCase() === lower;
    });
    return [name, (text: string) => tests.some((test) => test(text))];
  });
}

function compare(a: Entry, b: Entry): number {
  const regexA = a.path?.regex == null ? 0 : 1;
  const regexB = b.path?.regex == null ? 0 : 1;
  return (
    b.weight - a.weight ||
    Number(b.plainHosts) - Number(a.plainHosts) ||
    b.headers.length - a.headers.length ||
    regexB - regexA ||
    (regexA === 1 ? b.route.regex_priority - a.route.regex_priority : 0) ||
    (b.path?.length ?? 0) - (a.path?.length ?? 0) ||
    a.route.created_at - b.route.created_at
  );
}
