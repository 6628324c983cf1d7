import type { Command } from 'commander';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { readSecret, secrets } from '../../base/secrets.ts';
import { printableLine } from '../../terminal/index.ts';
import { linesOf, notOurs, textOf } from './answer.ts';

/** The most that a list holds. */
const maxListed = 1_000_000;
/** Pages without an item that may follow each other. */
const maxEmpty = 1000;
/** How long a whole answer may take: a test of a hook takes as long as its target. */
const timeoutMs = 300_000;

/** Where `kong-ts hooks serve` has its Admin API. */
export const defaultApi = 'http://127.0.0.1:8011';
/** Where the sandbox and the demo have theirs, which passes event hooks on. */
const sandboxApi = 'http://127.0.0.1:8001';

/** The options that every call has. */
export interface CallOptions {
  api?: string;
  token?: string;
  tokenFile?: string;
  workspace?: string;
  json?: boolean;
}

/** The Admin API of event hooks, as the command line uses it. */
export class HooksApi {
  readonly json: boolean;
  /** Where the API is, with its workspace. */
  readonly base: string;
  readonly #isDefault: boolean;
  readonly #token: string | undefined;

  constructor(command: Command) {
    const options = command.optsWithGlobals<CallOptions>();
    const named = options.api ?? process.env.KONG_TS_HOOKS_API;
    this.#isDefault = named === undefined;
    const base = named ?? defaultApi;
    if (!URL.canParse(base)) {
      const from = options.api === undefined ? 'KONG_TS_HOOKS_API' : '--api';
      throw new KongTsError('USAGE', `${from} ${base} is not a URL.`, {
        fix: `Write one such as ${defaultApi}.`,
      });
    }
    const workspace = options.workspace === undefined ? '' : `/${encodeURIComponent(options.workspace)}`;
    this.base = `${base.replace(/\/+$/, '')}${workspace}`;
    this.#token =
      options.token ?? readSecret(secrets.adminToken, options.tokenFile, process.env) ?? undefined;
    this.json = options.json === true;
  }

  /** @throws KongTsError HOOKS_UNAVAILABLE, or HOOK_INVALID with what the API answered */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.open(method, path, body, AbortSignal.timeout(timeoutMs));
    for (const warning of warningsIn(response.headers.get('warning')))
      process.stderr.write(`Warning: ${printableLine(warning)}\n`);
    const text = await this.#text(response);
    return (text === '' ? null : parse(text, this.base)) as T;
  }

  /** Each line of an answer that does not end, as JSON and as it came. */
  async *follow<T>(path: string, signal: AbortSignal): AsyncGenerator<{ value: T; text: string }> {
    const response = await this.open('GET', path, undefined, signal);
    try {
      for await (const text of linesOf(response, this.base)) {
        yield { value: parse(text, this.base) as T, text };
      }
    } catch (error) {
      throw error instanceof KongTsError || signal.aborted ? error : this.#brokeOff(error);
    }
  }

  async open(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (this.#token !== undefined) headers['kong-admin-token'] = this.#token;
    if (body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    try {
      response = await fetch(`${this.base}${path}`, {
        method,
        headers,
        // The place that a redirect names must not get the token.
        redirect: 'manual',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const cause = (error as { cause?: unknown }).cause ?? error;
      throw new KongTsError('HOOKS_UNAVAILABLE', `Nothing answers at ${this.base}: ${messageOf(cause)}.`, {
        cause,
        fix: this.#isDefault
          ? `Start a dispatcher with "kong-ts hooks serve", or say where one is with --api URL or KONG_TS_HOOKS_API (the sandbox and the demo: ${sandboxApi}).`
          : 'Start a dispatcher there (kong-ts hooks serve), or name another address with --api URL or KONG_TS_HOOKS_API.',
      });
    }
    if (response.ok) return response;
    const text = await this.#text(response);
    throw await this.#refusal(`${method} ${path}`, response.status, messageIn(text), path);
  }

  /** The error for an answer that is not a success. */
  async #refusal(call: string, status: number, message: string, path: string): Promise<KongTsError> {
    const said = `${call}: ${String(status)} ${message}${/[.)]$/.test(message) ? '' : '.'}`;
    if (status === 401) {
      return new KongTsError('ADMIN_REFUSED', said, {
        fix: 'Give the token that the dispatcher was started with: KONG_TS_ADMIN_TOKEN, or --token-file FILE.',
      });
    }
    if (status >= 500)
      return new KongTsError(path.endsWith('/ping') ? 'DELIVERY_FAILED' : 'HOOKS_UNAVAILABLE', said);
    if (status !== 404) return new KongTsError('HOOK_INVALID', said);
    // Whoever knows the status of a dispatcher is one, so the thing that was named is missing.
    const known = path !== '/event-hooks/status' && (await this.#isOurs());
    return known
      ? new KongTsError('HOOK_INVALID', said, {
          fix: 'kong-ts hooks list shows the hooks with their ids, kong-ts hooks deliveries HOOK those of deliveries.',
        })
      : new KongTsError('HOOKS_UNAVAILABLE', `${this.base} has no event hooks: it answered 404 to ${call}.`, {
          fix: `It may be the Admin API of a Kong. "kong-ts hooks serve" prints where it listens (${defaultApi} unless told otherwise): name that with --api URL or KONG_TS_HOOKS_API.`,
        });
  }

  async #isOurs(): Promise<boolean> {
    try {
      await this.call('GET', '/event-hooks/status');
      return true;
    } catch {
      return false;
    }
  }

  /** Every item of a paged list, up to a limit. */
  async list<T>(path: string, limit = Number.POSITIVE_INFINITY): Promise<T[]> {
    const items: T[] = [];
    let next: string | null = path;
    const seen = new Set<string>();
    let empty = 0;
    while (next !== null && items.length < limit) {
      seen.add(next);
      const page: { data?: T[]; next?: string | null } | null = await this.call('GET', next);
      if (!Array.isArray(page?.data)) throw notOurs(this.base, 'a page of it has no list as data');
      for (const item of page.data) items.push(item);
      if (items.length > maxListed) throw notOurs(this.base, `it lists more than ${String(maxListed)} items`);
      next = page.next ?? null;
      // A search that takes long answers pages that hold nothing yet.
      empty = page.data.length === 0 ? empty + 1 : 0;
      if (next !== null && (!next.startsWith('/') || seen.has(next) || empty > maxEmpty))
        throw notOurs(this.base, 'its pages do not end');
    }
    return items.slice(0, limit);
  }

  async #text(response: Response): Promise<string> {
    try {
      return await textOf(response, this.base);
    } catch (error) {
      throw error instanceof KongTsError ? error : this.#brokeOff(error);
    }
  }

  #brokeOff(cause: unknown): KongTsError {
    return new KongTsError(
      'HOOKS_UNAVAILABLE',
      `The answer of ${this.base} broke off: ${messageOf(cause)}.`,
      {
        cause,
      },
    );
  }
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw notOurs(where, `it answered ${JSON.stringify(text.slice(0, 60))}, which is not JSON`);
  }
}

/** The texts of a `Warning` header, as warnings.ts of the Admin API writes them. */
function warningsIn(header: string | null): string[] {
  return [...(header ?? '').matchAll(/299 kong-ts ("(?:[^"\\]|\\.)*")/g)].flatMap(([, text = '']) => {
    try {
      return [String(JSON.parse(text))];
    } catch {
      return [];
    }
  });
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // The offset is not one of ours, and is shown as it is.
  }
  return text.slice(0, 200);
}
