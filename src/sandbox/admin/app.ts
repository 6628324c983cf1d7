import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { formPairs } from '../../http/index.ts';
import { Dao, EntityError, defaultWorkspaceId } from '../../kong-end/index.ts';
import { message, methodNotAllowed, notFound, unexpected } from './answers.ts';
import { noBody, parseBody, readBody } from './body.ts';
import { certificateId, certificateManners } from './certificates.ts';
import { consumerManners } from './consumers.ts';
import { configEndpoints } from './config.ts';
import { EntityEndpoints } from './entities.ts';
import { elsewhereEndpoints } from './elsewhere.ts';
import { forward } from './forward.ts';
import { informationEndpoints } from './information.ts';
import { escapedTarget, nginxPage } from './nginx.ts';
import { EndpointTable } from './endpoint-table.ts';
import type { AdminOptions, AdminState, Answer, Context, Endpoint } from './types.ts';
import { checksHealth, upstreamEndpoints } from './upstreams.ts';
import { workspaceEndpoints } from './workspaces.ts';

const defaultBodyLimit = 10 * 1024 * 1024;

/**
 * Kong's Admin API over an entity store, shapes and error texts as Kong 3.9.3 has them. The caller listens and
 * closes. Changes are seen by the store's listeners before the answer is sent.
 */
export function createAdminApi(options: AdminOptions): RequestListener {
  const state = createState(options);
  const router = createRouter(state);
  const limit = options.bodyLimit ?? defaultBodyLimit;
  const answerTo = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const started = performance.now();
    state.requests++;
    if (request.method === 'TRACE') return refuseTrace(response, state.version);
    request.url = escapedTarget(request.url ?? '/');
    const place = locate(state, router, request.url);
    if (options.eventHooksAdmin !== undefined && place?.segments[0] === 'event-hooks')
      return forward(options.eventHooksAdmin, request, response);
    const answer = place === null ? notFound : await handle(state, router, place, request, limit);
    send(request, response, state, answer, performance.now() - started);
  };
  return (request, response) => {
    answerTo(request, response).catch((error: unknown) => {
      process.emitWarning(error instanceof Error ? error : new Error(String(error)));
      if (response.headersSent) response.destroy();
      else send(request, response, state, unexpected, 0);
    });
  };
}

function createState(options: AdminOptions): AdminState {
  const { store, now = Date.now } = options;
  const forcedHealth: AdminState['forcedHealth'] = new Map();
  return {
    store,
    dao: new Dao(store, { now, ...(options.uuid === undefined ? {} : { uuid: options.uuid }) }),
    get known() {
      return withBuiltIn(options);
    },
    readOnly: options.database === 'off',
    workspaces: options.workspaces ?? store.snapshot().workspaces.length > 1,
    startsServers: options.startsServers ?? false,
    version: options.version ?? '3.9.3',
    nodeId: options.nodeId ?? randomUUID(),
    workerPids: options.workerPids ?? (() => [process.pid]),
    configuration: options.configuration ?? {},
    loading: options.loading ?? {},
    now,
    forcedHealth,
    health: (upstream, target) =>
      forcedHealth.get(target.id) ??
      options.health?.(upstream, target) ??
      (checksHealth(upstream) ? 'HEALTHY' : 'HEALTHCHECKS_OFF'),
    requests: 0,
  };
}

function withBuiltIn({ store, known }: AdminOptions): AdminState['known'] {
  const given = known?.() ?? [];
  const names = new Set(given.map(({ name }) => name));
  return [...given, ...[...store.registry.plugins.values()].filter(({ name }) => !names.has(name))];
}

const manners = { certificates: certificateManners, consumers: consumerManners };

function createRouter(state: AdminState): EndpointTable {
  const endpoints: Endpoint[] = [
    ...new EntityEndpoints(state.store.registry, manners).all(),
    ...upstreamEndpoints(),
    ...configEndpoints(),
    ...(state.workspaces ? workspaceEndpoints() : []),
    ...elsewhereEndpoints(),
    ...informationEndpoints(() => router.paths),
  ];
  const router: EndpointTable = new EndpointTable(endpoints);
  return router;
}

/** Which workspace and which path below it a URL is about. */
interface Place {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly workspace: string;
  readonly prefix: string;
  /** The URL names a workspace that is not there. */
  readonly missingWorkspace?: string;
}

/** A regular expression for this looks at every run of slashes once for each of them. */
function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (path.charCodeAt(end - 1) === 0x2f) end--;
  return path.slice(0, end);
}

/** Null for an impossible path: its percent signs do not spell UTF-8. */
function locate(state: AdminState, router: EndpointTable, url: string): Place | null {
  const at = url.indexOf('?');
  const path = withoutEndSlashes(at < 0 ? url : url.slice(0, at));
  const query = new URLSearchParams([...formPairs(at < 0 ? '' : url.slice(at + 1))]);
  const segments = decoded(path.split('/').slice(1));
  if (segments === null) return null;
  const [first, second] = segments;
  const rest = { query, workspace: defaultWorkspaceId, prefix: '' };
  if (first === undefined || router.startsWith(first) || second === undefined) return { ...rest, segments };
  if (state.workspaces) {
    const table = state.store.table('workspaces');
    const workspace = table.byUnique('name', '', first) ?? table.get(first);
    if (workspace !== undefined) {
      return {
        query,
        workspace: workspace.id,
        prefix: `/${encodeURIComponent(first)}`,
        segments: segments.slice(1),
      };
    }
    if (router.startsWith(second)) return { ...rest, segments, missingWorkspace: first };
  }
  // The dispatcher of event hooks has workspaces of its own.
  return second === 'event-hooks' ? { ...rest, segments: segments.slice(1) } : { ...rest, segments };
}

function decoded(segments: readonly string[]): string[] | null {
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return null;
  }
}

async function handle(
  state: AdminState,
  router: EndpointTable,
  place: Place,
  request: IncomingMessage,
  limit: number,
): Promise<Answer> {
  if (place.missingWorkspace !== undefined)
    return message(404, `Workspace '${place.missingWorkspace}' not found`);
  const match = router.find(place.segments);
  if (match === undefined) return notFound;
  if (request.method === 'OPTIONS') return optionsAnswer(match.methods);
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  const handler = match.methods[method as keyof typeof match.methods];
  if (handler === undefined) return methodNotAllowed;

  let body: ReturnType<typeof parseBody> = noBody;
  if (method === 'POST' || method === 'PUT' || method === 'PATCH') {
    const raw = await readBody(request, limit);
    if (raw === null) return { ...message(413, 'Payload Too Large'), headers: { connection: 'close' } };
    body = parseBody(raw, request.headers['content-type'], place.segments[0] === 'config');
    if ('status' in body) return body;
  }
  const context: Context = {
    state,
    method,
    params: match.params,
    query: place.query,
    workspace: place.workspace,
    prefix: place.prefix,
    ...body,
  };
  try {
    return handler(bySni(context, method));
  } catch (thrown) {
    if (thrown instanceof SniNotFound) return message(404, 'SNI not found');
    if (thrown instanceof EntityError) return { status: thrown.status, body: thrown.body };
    throw thrown;
  }
}

class SniNotFound extends Error {}

/** A path may name a certificate by one of its snis. */
function bySni(context: Context, method: string): Context {
  const key = context.params['certificates'];
  if (key === undefined) return context;
  const id = certificateId(context, key);
  if (id === undefined) {
    if (method !== 'PUT') throw new SniNotFound();
    const { snis } = context.body;
    const names = Array.isArray(snis) ? (snis as unknown[]) : typeof snis === 'string' ? [snis] : [];
    const body = { ...context.body, snis: names.includes(key) ? names : [...names, key] };
    return { ...context, params: { ...context.params, certificates: randomUUID() }, body };
  }
  return { ...context, params: { ...context.params, certificates: id } };
}

/** nginx refuses TRACE itself, before Kong hears of it. */
function refuseTrace(response: ServerResponse, version: string): void {
  const body = nginxPage('405 Not Allowed', version);
  response.writeHead(405, {
    Server: `kong/${version}`,
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

function optionsAnswer(available: object): Answer {
  const names = Object.keys(available);
  const allowed = [...names, ...(names.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ');
  return {
    status: 204,
    headers: {
      Allow: allowed,
      'Access-Control-Allow-Methods': allowed,
      'Access-Control-Allow-Headers': 'Content-Type',
    },
  };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  state: AdminState,
  answer: Answer,
  milliseconds: number,
): void {
  const text = answer.body === undefined ? '' : JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    Server: `kong/${state.version}`,
    'X-Kong-Admin-Latency': String(Math.round(milliseconds)),
    'Access-Control-Allow-Origin': request.headers.origin ?? '*',
    'Access-Control-Allow-Credentials': 'true',
    ...answer.headers,
    ...(answer.body === undefined ? {} : { 'Content-Type': 'application/json; charset=utf-8' }),
    ...(answer.status === 204 ? {} : { 'Content-Length': Buffer.byteLength(text) }),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
