import { fastify } from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Callers, HttpLimits } from '../../http/index.ts';
import { formPairs, httpLimits, multipartFields } from '../../http/index.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import { HookExistsError, HookInvalidError } from '../model/errors.ts';
import { parseExact } from '../model/exact-json.ts';
import type { FormFields } from '../model/form-fields.ts';
import { Backlog } from '../dispatcher/backlog.ts';
import type { Api, Endpoint } from './endpoint.ts';
import { endpoints } from './endpoints.ts';
import type { Front } from './listener.ts';
import { createListener, refuseUnread } from './listener.ts';
import { parseForm } from './form.ts';
import { openApiDocument } from './openapi.ts';
import { PagingError } from './paging.ts';
import { Access } from './access/access.ts';
import type { PayloadView } from './access/access.ts';
import { PageFiles } from './console/page-files.ts';
import { RecentRows } from './live/recent-rows.ts';
import { ReplayJobs } from './replays/jobs.ts';
import { addConsole } from './console/page.ts';

export interface AdminOptions {
  /** Asked for in the header `Kong-Admin-Token`; null: everybody who can connect may do everything. */
  token?: string | null;
  /** The token of those who may look and change nothing; only beside `token`. Default: there are none. */
  readToken?: string | null;
  /** Who may see what events hold. Default: everybody who may look. */
  payloadView?: PayloadView;
  /** Where the built console is. Default: `dist/console/` of the package. */
  consoleFolder?: URL;
  /**
   * Which callers are let in where no token is asked for: not web pages of others, and not foreign names. null: everybody
   * who can connect.
   */
  callers?: Callers | null;
  /** The plugin server that has started this dispatcher. Default: none has. */
  server?: Api['server'];
  /** Who watches a Kong. Default: nobody. */
  watcher?: Api['watcher'];
  /** Answers every path that is not one of event hooks. Default: those are not found. */
  front?: Front | null;
  /** Time limits of the listener; see httpLimits. */
  limits?: HttpLimits;
}

const bodyLimit = 1024 * 1024;
/** How much a body may have beside the data of one event, in bytes. */
const aroundEvent = 64 * 1024;
/** How much may wait for one watcher, and for all of them, in bytes. A watcher that reads more slowly is cut off. */
const maxTailBuffer = 4 * 1024 * 1024;
const maxTailBuffers = 64 * 1024 * 1024;
const json = 'application/json; charset=utf-8';

/** The Admin API of event hooks, in the manners of Kong's own. The caller listens and closes. */
export function createAdmin(dispatcher: Dispatcher, options: AdminOptions = {}): FastifyInstance {
  const { front = null, callers = null, limits = httpLimits, token = null, readToken = null } = options;
  const { payloadView = 'all' } = options;
  const { clock } = dispatcher.options;
  const access = new Access({ token, readToken, callers, payloadView, now: () => clock.now() });
  const app = fastify({
    serverFactory: (handler) =>
      createListener(handler, { front, callers: token === null ? callers : null, limits }),
    clientErrorHandler: refuseUnread,
    bodyLimit,
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true },
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    // Paths that cannot be decoded, or whose parts are too long.
    frameworkErrors: (_error, _request, reply) => {
      void (reply as unknown as FastifyReply).code(404).type(json).send({ message: 'Not found' });
    },
  });
  const paths = [...Map.groupBy(endpoints, ({ path }) => path)].flatMap(([path, rows]) =>
    [path, `/:workspace${path}`].map((url) => ({ url, rows })),
  );
  const withEvents = paths.filter(({ rows }) => rows.some(({ takesEvents = false }) => takesEvents));
  parseBodies(app, dispatcher.kinds.form, new Set(withEvents.map(({ url }) => url)));
  app.setNotFoundHandler((_request, reply) => reply.code(404).type(json).send({ message: 'Not found' }));
  app.setErrorHandler((error, request, reply) =>
    answerError(dispatcher, error as FastifyError, request, reply),
  );
  app.addHook('onRequest', async (request, reply) => {
    const { row, isPage = false } = request.routeOptions.config;
    if (isPage || row?.isOpen === true) return;
    const acts = row === undefined ? false : (row.acts ?? row.method !== 'GET');
    const refusal = access.refusal(access.callerOf(request), request, acts);
    if (refusal !== null) await reply.code(refusal[0]).type(json).send({ message: refusal[1] });
  });
  app.addHook('onRequest', async ({ routeOptions }) => {
    if (routeOptions.config.isPage !== true) await dispatcher.takeOverChanges().catch(() => undefined);
  });
  const live = new RecentRows(dispatcher, clock);
  const replays = new ReplayJobs(live, clock);
  app.addHook('onClose', async () => {
    replays.close();
    live.close();
  });
  addConsole(app, new PageFiles(options.consoleFolder), access);
  const api: Api = {
    dispatcher,
    access,
    live,
    replays,
    server: options.server ?? null,
    watcher: options.watcher ?? null,
    tails: new Backlog(maxTailBuffer, maxTailBuffers),
    document: () => openApiDocument(dispatcher.kinds, endpoints),
  };
  for (const { url, rows } of paths) register(app, url, rows, api);
  return app;
}

const methodNames = ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'];

function register(app: FastifyInstance, url: string, rows: readonly Endpoint[], api: Api): void {
  const allowed: string[] = rows.map(({ method }) => method);
  for (const row of rows) route(app, url, row, api);
  if (rows.some(hasHead)) allowed.push('HEAD');
  const others = methodNames.filter((method) => !allowed.includes(method));
  if (others.length > 0) {
    app.route({
      method: others,
      url,
      // Answered before the body is looked at.
      onRequest: async (_request, reply) => {
        await reply.code(405).type(json).send({ message: 'Method not allowed' });
      },
      handler: () => undefined,
    });
  }
  app.route({
    method: 'OPTIONS',
    url,
    handler: (_request, reply) =>
      reply
        .header('allow', [...allowed, 'OPTIONS'].sort().join(', '))
        .code(204)
        .send(),
  });
}

/** Adds one endpoint. */
function route(app: FastifyInstance, url: string, row: Endpoint, api: Api): void {
  const eventLimit = api.dispatcher.options.maxEventBytes + aroundEvent;
  app.route<{ Params: Record<string, string>; Querystring: Record<string, unknown> }>({
    method: row.method,
    url,
    config: { row },
    ...(row.takesEvents === true ? { bodyLimit: eventLimit } : {}),
    exposeHeadRoute: hasHead(row),
    handler: async (request, reply) => {
      void reply.type(json);
      const answer = await row.handle(api, request, reply);
      return reply.sent || answer === reply
        ? reply
        : (answer ?? reply.removeHeader('content-type').code(204).send());
    },
  });
}

const hasHead = ({ method, isEndless = false }: Endpoint): boolean => method === 'GET' && !isEndless;

/** @param exact the paths whose numbers arrive as they were written */
function parseBodies(app: FastifyInstance, fields: FormFields, exact: ReadonlySet<string>): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, body, done) => {
    const type = request.headers['content-type'] ?? '';
    try {
      if (body.length === 0) done(null, {});
      else if (/^application\/(?:[\w.+-]+\+)?json\b/i.test(type))
        done(null, parseObject(body.toString('utf8'), exact.has(request.routeOptions.url ?? '')));
      else if (/^application\/x-www-form-urlencoded\b/i.test(type))
        done(null, parseForm(formPairs(body.toString('utf8')), fields));
      else if (/^multipart\/form-data\b/i.test(type))
        done(null, parseForm(multipartFields(body, type), fields));
      else done(new BodyError(415, 'Unsupported Content-Type'), undefined);
    } catch {
      done(new BodyError(400, 'Cannot parse JSON body'), undefined);
    }
  });
}

/** Every body of this API is one object. */
function parseObject(text: string, exact: boolean): Record<string, unknown> {
  const value = exact ? parseExact(text) : (JSON.parse(text) as unknown);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new SyntaxError('not an object');
}

class BodyError extends Error {
  readonly statusCode: number;
  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

function answerError(
  dispatcher: Dispatcher,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  void reply.type(json);
  if (error instanceof HookInvalidError || error instanceof HookExistsError)
    return reply.code(400).send(error.toKong());
  if (error instanceof PagingError) {
    const { message, kind: name, code } = error;
    return reply.code(400).send({ message, name, code });
  }
  if (error instanceof KongTsError) {
    if (error.code === 'STORE_FAILED')
      dispatcher.options.log.error('a request failed', {
        path: request.routeOptions.url,
        error: error.message,
      });
    return reply.code(error.fault === 'environment' ? 503 : 400).send({ message: error.message });
  }
  const status = error.statusCode ?? 500;
  if (status === 413)
    return reply
      .code(413)
      .send({ message: `Payload too large: at most ${String(request.routeOptions.bodyLimit)} bytes` });
  if (status < 500) return reply.code(status).send({ message: error.message });
  dispatcher.options.log.error('a request failed', {
    path: request.routeOptions.url,
    error: messageOf(error),
  });
  return reply.code(500).send({ message: 'An unexpected error occurred' });
}
