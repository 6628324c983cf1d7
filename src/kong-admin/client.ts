import { Agent, buildConnector, request } from 'undici';
import { KongTsError, messageOf } from '../base/errors.ts';
import { isDeeperThan } from '../base/json-depth.ts';
import { passingOverInformational } from '../http/client/index.ts';
import { maskUserInfo, withoutUserInfo } from '../base/user-info.ts';

export interface KongAdminOptions {
  /** `http://127.0.0.1:8001`; a path in it is kept as a prefix, user and password are sent as Basic `Authorization`. */
  readonly url: string;
  /** Sent as `Kong-Admin-Token` (Enterprise, or a front that asks for it). */
  readonly token?: string;
  /** A workspace to put before every path; none by default. */
  readonly workspace?: string;
  /** How long one request may take, in milliseconds; 10,000 by default. */
  readonly timeoutMs?: number;
  /** The largest answer that is read, in bytes; 64 MiB by default. */
  readonly maxBytes?: number;
  /** When it aborts, requests under way end, and so does every later one. */
  readonly signal?: AbortSignal;
}

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed JSON, null where the answer has no body. */
  readonly body: unknown;
}

/** What a node says of itself, as far as kong-ts needs it. */
export interface KongInfo {
  /** `3.9.3`; `unknown` where the node does not say it (`headers = off` in its configuration, and `GET /` fails). */
  readonly version: string;
  /** `community` or `enterprise`; null where the version is unknown. */
  readonly edition: string | null;
  /** The plugins that the node has loaded; null where it does not say. */
  readonly availablePlugins: readonly string[] | null;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The items of a page. An empty Lua table may have become an object. null: the body is not a page. */
function itemsOf(data: unknown): Record<string, unknown>[] | null {
  if (Array.isArray(data)) return data.filter(isRecord);
  return isRecord(data) && Object.keys(data).length === 0 ? [] : null;
}

/** Where the next page begins: `offset`, or what `next` says of it. */
function offsetOf({ offset, next }: Record<string, unknown>): string | null {
  if (typeof offset === 'string') return offset;
  return typeof next === 'string' ? new URL(next, 'http://kong').searchParams.get('offset') : null;
}

const defaultTimeoutMs = 10_000;
/** How many pages in a row may have an offset but no entity. More of them would go on for ever. */
const maxEmptyPages = 100;
/** The most that `list` holds, in entities. */
const maxListed = 1_000_000;
/** Kong writes nothing that is nested deeper (lua-cjson's own limit). */
const maxDepth = 1000;
/** What `pages` asks for at least, in entities. */
const smallestPage = 50;

/** A page that takes less than this part of the time that it may take is quick. */
const quickPart = 1 / 4;
/** After so many quick pages in a row the next one is twice as large. */
const quickPages = 4;

/** What a client, and every client that it gives by `in`, has asked of a Kong. */
export interface Asked {
  readonly requests: number;
  /** Entities in the pages that came. */
  readonly entities: number;
}

interface Paging {
  /** The largest page to ask for, in entities. */
  size: number;
  /** Quick pages since the size was changed. */
  quick: number;
  asked: { requests: number; entities: number };
}

const freshPaging = (): Paging => ({
  size: Number.POSITIVE_INFINITY,
  quick: 0,
  asked: { requests: 0, entities: 0 },
});

let agent: Agent | null = null;

/** The connections of all clients, made with the first request. */
const connections = (): Agent =>
  (agent ??= new Agent({ connect: passingOverInformational(buildConnector({ allowH2: false })) }));

/** A client of Kong's Admin API: JSON in and out, paging, workspaces, errors that say what Kong said. */
export class KongAdmin {
  /** Without user and password. */
  readonly url: string;
  readonly #options: KongAdminOptions;
  readonly #base: string;
  readonly #authorization: string | null;
  /** Shared by all clients that `in` gives. */
  readonly #paging: Paging;

  /** @throws KongTsError USAGE when `url` is not a URL */
  constructor(options: KongAdminOptions, paging: Paging = freshPaging()) {
    this.#paging = paging;
    let parsed: URL;
    try {
      parsed = new URL(options.url);
    } catch {
      throw new KongTsError('USAGE', `"${maskUserInfo(options.url)}" is not a URL of an Admin API.`, {
        fix: 'Use one like http://127.0.0.1:8001.',
      });
    }
    if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
      throw new KongTsError('USAGE', `"${maskUserInfo(options.url)}" is not an http or https URL.`, {
        fix: 'Use one like http://127.0.0.1:8001.',
      });
    }
    const { shown, authorization } = withoutUserInfo(options.url);
    this.url = shown;
    this.#authorization = authorization;
    this.#options = options;
    const workspace = options.workspace === undefined ? '' : `/${encodeURIComponent(options.workspace)}`;
    this.#base = `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}${workspace}`;
  }

  /** The same client with another workspace before every path (null: none). */
  in(workspace: string | null): KongAdmin {
    const { workspace: _, ...rest } = this.#options;
    return new KongAdmin(workspace === null ? rest : { ...rest, workspace }, this.#paging);
  }

  /** How much was asked so far, answered or not. */
  get asked(): Asked {
    return { ...this.#paging.asked };
  }

  /**
   * One request. Any status is an answer.
   * @throws KongTsError ADMIN_UNREACHABLE when there is no whole JSON answer in time
   */
  async request(method: string, path: string, body?: unknown): Promise<AdminAnswer> {
    const { token, timeoutMs = defaultTimeoutMs, maxBytes = 64 * 1024 * 1024, signal } = this.#options;
    const limit = AbortSignal.timeout(timeoutMs);
    this.#paging.asked.requests += 1;
    const until = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    try {
      const asked = request(`${this.#base}${path}`, {
        dispatcher: connections(),
        method,
        headers: {
          accept: 'application/json',
          ...(this.#authorization === null ? {} : { authorization: this.#authorization }),
          ...(token === undefined ? {} : { 'kong-admin-token': token }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: until,
      });
      // undici hears of the signal once it is connected.
      const answer = await unlessAborted(asked, until);
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > maxBytes) throw new Error(`the answer is larger than ${String(maxBytes)} bytes`);
        chunks.push(chunk);
      }
      const text = Buffer.concat(chunks).toString('utf8');
      const json = text === '' ? null : parsed(text, answer.statusCode);
      return { status: answer.statusCode, headers: answer.headers, body: json };
    } catch (error) {
      if (limit.aborted && signal?.aborted !== true) {
        throw new AdminTimeout(`${method} ${this.#base}${path}`, timeoutMs, error);
      }
      throw new KongTsError(
        'ADMIN_UNREACHABLE',
        `${method} ${this.#base}${path} has no answer: ${messageOf(error)}.`,
        {
          cause: error,
          fix: 'Check that the URL is that of an Admin API and that this machine may reach it.',
        },
      );
    }
  }

  /**
   * One request that has to succeed.
   * @returns the body; null for a 404 on GET and for 204
   * @throws KongTsError ADMIN_REFUSED with Kong's own message for any other status of 400 and above
   */
  async send(method: string, path: string, body?: unknown): Promise<Record<string, unknown> | null> {
    const answer = await this.request(method, path, body);
    if (answer.status === 404 && method === 'GET') return null;
    if (answer.status >= 400) throw refusal(`${method} ${this.#base}${path}`, answer);
    if (answer.body === null) return null;
    if (!isRecord(answer.body)) throw refusal(`${method} ${this.#base}${path}`, answer);
    return answer.body;
  }

  /**
   * Pages of a collection, in Kong's order, until there is no next one. A page that Kong does not give in time is asked
   * for again at half the size, down to 50. Later reads begin with the size that was given. The size grows again while
   * pages are quick.
   * @param path with or without a query; `size` is added
   * @throws KongTsError ADMIN_REFUSED also when the collection is not there or a page is not a page
   */
  async *pages(path: string, size = 1000): AsyncGenerator<Record<string, unknown>[]> {
    const separator = path.includes('?') ? '&' : '?';
    let offset: string | null = null;
    const seen = new Set<string>();
    let empty = 0;
    do {
      const at: string = offset === null ? '' : `&offset=${encodeURIComponent(offset)}`;
      const { where, answer } = await this.#page(size, (n) => `${path}${separator}size=${String(n)}${at}`);
      const data = answer.status === 200 && isRecord(answer.body) ? itemsOf(answer.body.data) : null;
      if (data === null || !isRecord(answer.body)) throw refusal(`GET ${this.#base}${where}`, answer);
      offset = offsetOf(answer.body);
      if (offset !== null) {
        if (seen.has(offset)) throw refusal(`GET ${this.#base}${where} repeats its offset;`, answer);
        seen.add(offset);
        empty = data.length === 0 ? empty + 1 : 0;
        if (empty > maxEmptyPages)
          throw refusal(`GET ${this.#base}${where} is empty page after page;`, answer);
      }
      this.#paging.asked.entities += data.length;
      yield data;
    } while (offset !== null);
  }

  async #page(
    wanted: number,
    path: (size: number) => string,
  ): Promise<{ where: string; answer: AdminAnswer }> {
    for (;;) {
      const size = Math.min(wanted, this.#paging.size);
      const where = path(size);
      const began = performance.now();
      try {
        const answer = await this.request('GET', where);
        this.#grow(wanted, performance.now() - began);
        return { where, answer };
      } catch (error) {
        if (!(error instanceof AdminTimeout) || size <= smallestPage) throw error;
        // Where Kong says nothing at all, a smaller page would only wait again.
        await this.in(null).request('GET', '/status');
        this.#paging.size = Math.max(smallestPage, Math.floor(size / 2));
        this.#paging.quick = 0;
      }
    }
  }

  /** A size that was halved grows again while pages are quick: Kong may have been late once. */
  #grow(wanted: number, tookMs: number): void {
    const paging = this.#paging;
    if (paging.size >= wanted) return;
    const { timeoutMs = defaultTimeoutMs } = this.#options;
    paging.quick = tookMs < timeoutMs * quickPart ? paging.quick + 1 : 0;
    if (paging.quick < quickPages) return;
    paging.quick = 0;
    paging.size = paging.size * 2 >= wanted ? Number.POSITIVE_INFINITY : paging.size * 2;
  }

  /** All of a collection. For collections of bounded size; use `pages` for the rest. */
  async list(path: string): Promise<Record<string, unknown>[]> {
    const all: Record<string, unknown>[] = [];
    for await (const page of this.pages(path)) {
      for (const entity of page) all.push(entity);
      if (all.length > maxListed) {
        throw new KongTsError(
          'ADMIN_REFUSED',
          `${this.#base}${path} lists more than ${String(maxListed)} entities.`,
        );
      }
    }
    return all;
  }

  /**
   * What the node is: from the `Server` header of `/status` and from `/plugins/enabled`. `GET /` is asked only where
   * these do not tell, because it is a 500 in nginx worker 0 of a Kong that has started a plugin server (3.9.3).
   * @throws KongTsError ADMIN_UNREACHABLE, ADMIN_REFUSED where `/status` is not answered as Kong answers it
   */
  async info(): Promise<KongInfo> {
    const node = this.in(null);
    const status = await node.request('GET', '/status');
    if (status.status >= 400) throw refusal(`GET ${this.#base}/status`, status);
    const enabled = await node.request('GET', '/plugins/enabled');
    const named = isRecord(enabled.body) ? enabled.body.enabled_plugins : undefined;
    const availablePlugins = Array.isArray(named)
      ? named.filter((name) => typeof name === 'string')
      : isRecord(named)
        ? []
        : null;
    const version = versionIn(status.headers.server) ?? (await node.#versionOfRoot());
    return {
      version: version ?? 'unknown',
      edition: version === null ? null : version.includes('enterprise') ? 'enterprise' : 'community',
      availablePlugins,
    };
  }

  async #versionOfRoot(): Promise<string | null> {
    const { status, body } = await this.request('GET', '/');
    if (status !== 200 || !isRecord(body) || typeof body.version !== 'string') return null;
    return body.edition === 'enterprise' && !body.version.includes('enterprise')
      ? `${body.version}-enterprise-edition`
      : body.version;
  }
}

/** `3.9.3` in `kong/3.9.3`, `3.4.3.1-enterprise-edition` in `kong/3.4.3.1-enterprise-edition`. */
function versionIn(server: string | string[] | undefined): string | null {
  const text = Array.isArray(server) ? server[0] : server;
  return /^kong\/(\d[\w.-]*)/i.exec(text ?? '')?.[1] ?? null;
}

function parsed(text: string, status: number): unknown {
  if (isDeeperThan(text, maxDepth)) {
    throw new Error(`what came with status ${String(status)} is nested deeper than ${String(maxDepth)}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`what came with status ${String(status)} is not JSON`);
  }
}

/** What was asked for, or the reason of the signal as soon as it aborts. */
async function unlessAborted<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([asked, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** No whole answer came within the client's limit. */
export class AdminTimeout extends KongTsError {
  constructor(what: string, timeoutMs: number, cause: unknown) {
    super('ADMIN_UNREACHABLE', `${what} has no whole answer within ${String(timeoutMs)} ms.`, {
      cause,
      fix: 'Check that the URL is that of an Admin API, that this machine may reach it, and how busy it is.',
    });
  }
}

/** The status and the message that Kong gave, in one sentence. Its `status` is there for callers that tell 401 from 429. */
export class AdminRefusal extends KongTsError {
  readonly status: number;
  readonly body: unknown;
  /** What `Retry-After` asks for, in seconds; null where it asks for nothing. */
  readonly retryAfter: number | null;

  constructor(message: string, answer: AdminAnswer) {
    super('ADMIN_REFUSED', message, {
      ...(answer.status === 401 || answer.status === 403
        ? { fix: 'Give a token that may do this (--token).' }
        : answer.status === 404
          ? { fix: "Check that the URL is that of Kong's Admin API (port 8001 unless configured otherwise)." }
          : answer.status === 405 && message.includes('not using a database')
            ? { fix: 'Put it into the declarative configuration of this Kong, or use one with a database.' }
            : {}),
    });
    this.status = answer.status;
    this.body = answer.body;
    const after = Number(answer.headers['retry-after']);
    this.retryAfter = Number.isFinite(after) && after >= 0 ? after : null;
  }
}

function refusal(what: string, answer: AdminAnswer): AdminRefusal {
  const said =
    isRecord(answer.body) && typeof answer.body.message === 'string' ? `: ${answer.body.message}` : '';
  return new AdminRefusal(`${what} was answered with ${String(answer.status)}${said}.`, answer);
}
