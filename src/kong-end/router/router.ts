import { uuidV5 } from '../../base/uuid.ts';
import { messageOf } from '../../base/errors.ts';
import type { ConfigSnapshot, RouteEntity, ServiceEntity } from '../entities/types.ts';
import type { HeaderList } from '../request/headers.ts';
import type { SandboxLog } from '../request/log.ts';
import { headerExpression, lowered, pathExpression } from '../entities/router-expression.ts';
import type { RustMatch } from '../entities/rust-regex.ts';
import { RustRegex } from '../entities/rust-regex.ts';
import type { HostMatcher } from './router-hosts.ts';
import { compileHosts, compileServerNames, splitHost } from './router-hosts.ts';
import { groupPaths, routePriority } from './router-priority.ts';
import { sanitizePostfix } from '../request/upstream-uri.ts';

/** The parts of a request that the router looks at. */
export interface RouterRequest {
  readonly method: string;
  /** The Host header as it came. */
  readonly host: string | null;
  /** The port of the connection. */
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
  /** The rest of the path after the matched part. */
  readonly postfix: string;
  readonly captures: UriCaptures | null;
}

/** Finds the part of the path that a route matches. */
type PathMatcher = (path: string) => { prefix: string; captures: UriCaptures | null } | null;

/** One route, or one group of its paths. */
interface Entry {
  readonly id: string;
  readonly route: RouteEntity;
  readonly service: ServiceEntity | null;
  /** Null: any path. */
  readonly paths: readonly PathMatcher[] | null;
  readonly hosts: HostMatcher | null;
  /** Over TLS only. */
  readonly serverNames: ((name: string) => boolean) | null;
  readonly headers: [name: string, test: (value: string) => boolean][];
  readonly priority: bigint;
}

/** Kong's namespace for the ids of groups of paths. */
const groupNamespace = '7f145bf9-0dce-4f91-98eb-debbce4b9f6b';

const httpProtocols = new Set(['http', 'https', 'grpc', 'grpcs', 'ws', 'wss']);

/**
 * Kong's router: which route a request meets. Order as in Kong 3.9.3's default (traditional_compatible): by priority,
 * and by id, the greatest first, where that is the same.
 */
export class Router {
  readonly #entries: Entry[] = [];
  readonly #looksAtPath: boolean;
  readonly #looksAtHost: boolean;
  readonly #looksAtHeaders: ReadonlySet<string>;

  constructor(snapshot: ConfigSnapshot, log: SandboxLog) {
    const services = new Map(snapshot.services.map((service) => [service.id, service]));
    for (const route of snapshot.routes) {
      if (!route.protocols.some((protocol) => httpProtocols.has(protocol))) continue;
      const service = route.service === null ? null : (services.get(route.service.id) ?? null);
      if (service?.enabled === false) continue;
      try {
        this.#entries.push(...entriesOf(route, service));
      } catch (error) {
        log('error', `[router] route ${route.name ?? route.id} is left out: ${messageOf(error)}`);
      }
    }
    this.#entries.sort(compare);
    this.#looksAtPath = this.#entries.some((entry) => entry.paths !== null);
    this.#looksAtHost = this.#entries.some((entry) => entry.hosts !== null);
    this.#looksAtHeaders = new Set(this.#entries.flatMap((entry) => entry.headers.map(([name]) => name)));
  }

  /** The best match. Null if no route fits, or if the request holds bytes that are not UTF-8 (Kong: 404). */
  match(request: RouterRequest): RouteMatch | null {
    if (this.#looksAtPath && !isText(request.path)) return null;
    if (this.#looksAtHost && !isText(request.host ?? '')) return null;
    for (const name of this.#looksAtHeaders) if (!request.headers.getAlike(name).every(isText)) return null;
    for (const entry of this.#entries) {
      if (!fits(entry, request)) continue;
      if (entry.paths === null) return matched(entry, request.path, null, null);
      for (const match of entry.paths) {
        const found = match(request.path);
        if (found !== null) return matched(entry, request.path, found.prefix, found.captures);
      }
    }
    return null;
  }
}

/** Bytes that are not UTF-8 are lone surrogates here. */
const isText = (text: string): boolean => !/[\ud800-\udfff]/u.test(text);

function matched(entry: Entry, path: string, found: string | null, captures: UriCaptures | null): RouteMatch {
  const prefix = entry.route.strip_path ? found : null;
  return {
    route: entry.route,
    service: entry.service,
    prefix,
    postfix: sanitizePostfix(path.slice((prefix ?? '/').length)),
    captures,
  };
}

function capturesOf({ unnamed, named }: RustMatch): UriCaptures | null {
  return unnamed.length === 1 ? null : { unnamed: [...unnamed], named: { ...named } };
}

function fits(entry: Entry, request: RouterRequest): boolean {
  const { route } = entry;
  if (route.methods !== null && route.methods.length > 0 && !route.methods.includes(request.method))
    return false;
  if (entry.hosts !== null) {
    if (request.host === null) return false;
    const { host, port } = splitHost(request.host);
    if (!entry.hosts(host, port ?? request.port)) return false;
  }
  if (request.tls && entry.serverNames !== null) {
    if (request.sni === null || !entry.serverNames(request.sni)) return false;
  }
  return entry.headers.every(([name, test]) => request.headers.getAlike(name).some(test));
}

function entriesOf(route: RouteEntity, service: ServiceEntity | null): Entry[] {
  const headers = headerTests(route);
  const hosts = compileHosts(route.hosts ?? []);
  const serverNames = compileServerNames(route.snis ?? []);
  const groups = groupPaths(route.paths);
  return groups.map((paths, index) => ({
    id: groups.length === 1 ? route.id : uuidV5(groupNamespace, `${route.id}#${String(index + 1)}`),
    route,
    service,
    paths: paths === null || paths.length === 0 ? null : paths.map(compilePath),
    hosts,
    serverNames,
    headers,
    priority: routePriority({ ...route, paths: paths === null ? null : [...paths] }),
  }));
}

function compilePath(path: string): PathMatcher {
  if (!path.startsWith('~'))
    return (text) => (text.startsWith(path) ? { prefix: path, captures: null } : null);
  const pattern = new RustRegex(pathExpression(path));
  return (text) => {
    const found = pattern.exec(text);
    return found === null ? null : { prefix: found.unnamed[0] ?? '', captures: capturesOf(found) };
  };
}

function headerTests(route: RouteEntity): Entry['headers'] {
  return Object.entries(route.headers ?? {}).map(([name, values]) => {
    const tests = values.map((value): ((text: string) => boolean) => {
      if (value.startsWith('~*')) {
        const pattern = new RustRegex(headerExpression(value));
        return (text) => pattern.test(text.toLowerCase());
      }
      // Kong's Lua lowers the route's value, letters of ASCII alone; its router lowers the header's.
      const lower = lowered(value);
      return (text) => text.toLowerCase() === lower;
    });
    return [name, (text: string) => tests.some((test) => test(text))];
  });
}

function compare(a: Entry, b: Entry): number {
  if (a.priority !== b.priority) return a.priority > b.priority ? -1 : 1;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}
