import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Entity = Record<string, unknown> & { id: string };

/** An answer that replaces the real one: a status with a body, a reset connection, or nothing at all. */
export type Fault = { status: number; body?: string; headers?: Record<string, string> } | 'reset' | 'hang';

/**
 * An Admin API for tests: collections in memory, paged as Kong 3.9.3 pages (`data`, `next`, `offset`), with faults on
 * demand. It has no rules of its own: tests put entities into it directly.
 */
export class FakeKongAdmin {
  readonly collections = new Map<string, Map<string, Entity>>();
  readonly requests: string[] = [];
  /** `GET /upstreams/{id}/health`, by upstream. */
  readonly health = new Map<string, unknown[]>();
  workspaces: string[] | null = null;
  /** What `GET /endpoints` lists in place of the collections that it was started with. */
  endpoints: readonly string[] | null = null;
  /** There, and not listed. */
  hiddenWorkspaces: string[] = [];
  configurationHash: string | null = null;
  databaseReachable = true;
  /** Asked before each request; null lets it through. */
  fault: (request: string) => Fault | null = () => null;
  token: string | null = null;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(paths: Readonly<Record<string, string>>): Promise<FakeKongAdmin> {
    const server = createServer();
    const fake = new FakeKongAdmin(server);
    for (const path of Object.keys(paths)) fake.collections.set(path, new Map());
    const endpoints = Object.entries(paths).flatMap(([path, schema]) => [path, `${path}/{${schema}}`]);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      request.resume();
      fake.#answer(request, response, endpoints);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Adds or replaces an entity. */
  put(path: string, entity: Entity): void {
    const list = this.collections.get(path) ?? new Map<string, Entity>();
    this.collections.set(path, list);
    list.set(entity.id, entity);
  }
  remove(path: string, id: string): void {
    this.collections.get(path)?.delete(id);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse, endpoints: readonly string[]): void {
    const url = new URL(request.url ?? '/', 'http://x');
    const line = `${request.method ?? ''} ${url.pathname}${url.search}`;
    this.requests.push(line);
    const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const fault = this.fault(line);
    if (fault === 'hang') return;
    if (fault === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault !== null) {
      send(fault.status, fault.body ?? { message: 'An unexpected error occurred' }, fault.headers);
      return;
    }
    if (this.token !== null && request.headers['kong-admin-token'] !== this.token) {
      send(401, { message: 'Unauthorized' });
      return;
    }
    const { status, body } = this.#lookUp(url, endpoints);
    send(status, body);
  }

  #lookUp(url: URL, endpoints: readonly string[]): { status: number; body: unknown } {
    const notFound = { status: 404, body: { message: 'Not found' } };
    const path = url.pathname;
    if (path === '/endpoints') {
      const own = this.workspaces === null ? [] : ['/workspaces', '/workspaces/{workspaces}'];
      return { status: 200, body: { data: [...(this.endpoints ?? endpoints), ...own] } };
    }
    if (path === '/status') {
      return {
        status: 200,
        body: {
          database: { reachable: this.databaseReachable },
          ...(this.configurationHash === null ? {} : { configuration_hash: this.configurationHash }),
        },
      };
    }
    if (path === '/workspaces') {
      if (this.workspaces === null) return notFound;
      return { status: 200, body: { data: this.workspaces.map((name) => ({ id: name, name })), next: null } };
    }
    const workspace = /^\/workspaces\/([^/]+)$/.exec(path)?.[1];
    if (workspace !== undefined && this.workspaces !== null) {
      const there = this.workspaces.includes(workspace) || this.hiddenWorkspaces.includes(workspace);
      return there ? { status: 200, body: { id: workspace, name: workspace } } : notFound;
    }
    const health = /^\/upstreams\/([^/]+)\/health$/.exec(path);
    if (health !== null) {
      const data = this.health.get(health[1] ?? '');
      return data === undefined ? notFound : { status: 200, body: { data, next: null, node_id: 'n' } };
    }
    const targets = /^\/upstreams\/([^/]+)\/targets$/.exec(path)?.[1];
    if (targets !== undefined) {
      if (this.collections.get('/upstreams')?.has(targets) !== true) return notFound;
      const all = [...(this.collections.get('/targets') ?? [])];
      const own = all.filter(([, { upstream }]) => (upstream as { id?: string }).id === targets);
      return { status: 200, body: page(new Map(own), url) };
    }
    // As Kong does, though it lists the path among its endpoints.
    if (path.startsWith('/targets')) return notFound;
    const list = this.collections.get(path);
    if (list !== undefined) return { status: 200, body: page(list, url) };
    const slash = path.lastIndexOf('/');
    const entity = this.collections.get(path.slice(0, slash))?.get(decodeURIComponent(path.slice(slash + 1)));
    return entity === undefined ? notFound : { status: 200, body: entity };
  }
}

/** Kong pages by id: an offset names the last id of the page before. */
function page(list: ReadonlyMap<string, Entity>, url: URL): unknown {
  const size = Number(url.searchParams.get('size') ?? 100);
  const offset = url.searchParams.get('offset');
  const after = offset === null ? '' : Buffer.from(offset, 'base64url').toString();
  const ids = sortedIds(list);
  const begin = after === '' ? 0 : firstAfter(ids, after);
  const data = ids.slice(begin, begin + size).map((id) => list.get(id));
  const last = ids[begin + size - 1];
  if (ids.length <= begin + size || last === undefined) return { data, next: null };
  const next = Buffer.from(last).toString('base64url');
  return { data, next: `${url.pathname}?offset=${next}`, offset: next };
}

/** Sorting is what a large collection costs: once for each state of its ids, and not for each page. */
const sortedLists = new WeakMap<ReadonlyMap<string, Entity>, { of: string; ids: string[] }>();

function sortedIds(list: ReadonlyMap<string, Entity>): string[] {
  const names = [...list.keys()];
  const of = `${String(names.length)} ${names.at(-1) ?? ''}`;
  const known = sortedLists.get(list);
  if (known?.of === of && names.length > 1000 && known.ids.every((id) => list.has(id))) return known.ids;
  const ids = names.sort();
  sortedLists.set(list, { of, ids });
  return ids;
}

function firstAfter(ids: readonly string[], id: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? '') <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}
