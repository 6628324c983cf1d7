import type { Command } from 'commander';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { readSecret, secrets } from '../../base/secrets.ts';
import { linesOf, notOurs, textOf } from './answer.ts';

/** The most that a list holds. */
const maxListed = 1_000_000;
/** How long a whole answer may take: a test of a hook takes as long as its target. */
const timeoutMs = 300_000;

/** Where the sandbox and the demo have their Admin API. */
export const defaultApi = 'http://127.0.0.1:8001';

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
  readonly #base: string;
  readonly #token: string | undefined;

  constructor(command: Command) {
    const options = command.optsWithGlobals<CallOptions>();
    const base = options.api ?? process.env.KONG_TS_HOOKS_API ?? defaultApi;
    if (!URL.canParse(base)) throw new KongTsError('USAGE', `--api ${base} is not a URL.`);
    const workspace = options.workspace === undefined ? '' : `/${encodeURIComponent(options.workspace)}`;
    this.#base = `${base.replace(/\/+$/, '')}${workspace}`;
    this.#token =
      options.token ?? readSecret(secrets.adminToken, options.tokenFile, process.env) ?? undefined;
    this.json = options.json === true;
  }

  /** @throws KongTsError HOOKS_UNAVAILABLE, or HOOK_INVALID with what the API answered */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.open(method, path, body, AbortSignal.timeout(timeoutMs));
    const text = await this.#text(response);
    return (text === '' ? null : parse(text, this.#base)) as T;
  }

  /** Line after line of an answer that does not end, as JSON and as it came. */
  async *follow<T>(path: string, signal: AbortSignal): AsyncGenerator<{ value: T; text: string }> {
    const response = await this.open('GET', path, undefined, signal);
    try {
      for await (const text of linesOf(response, this.#base)) {
        yield { value: parse(text, this.#base) as T, text };
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
      response = await fetch(`${this.#base}${path}`, {
        method,
        headers,
        // Wherever it leads to is not to have the token.
        redirect: 'manual',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const cause = (error as { cause?: unknown }).cause ?? error;
      throw new KongTsError(
        'HOOKS_UNAVAILABLE',
        `No Admin API answers at ${this.#base}: ${messageOf(cause)}.`,
        {
          fix: 'Start one (kong-ts sandbox, or kong-ts hooks serve), or name it with --api.',
        },
      );
    }
    if (response.ok) return response;
    const text = await this.#text(response);
    throw new KongTsError('HOOK_INVALID', `${method} ${path}: ${String(response.status)} ${messageIn(text)}`);
  }

  /** Every item of a paged list, up to a limit. */
  async list<T>(path: string, limit = Number.POSITIVE_INFINITY): Promise<T[]> {
    const items: T[] = [];
    let next: string | null = path;
    const seen = new Set<string>();
    while (next !== null && items.length < limit) {
      seen.add(next);
      const page: { data?: T[]; next?: string | null } | null = await this.call('GET', next);
      if (!Array.isArray(page?.data)) throw notOurs(this.#base, 'a page of it has no list as data');
      for (const item of page.data) items.push(item);
      if (items.length > maxListed)
        throw notOurs(this.#base, `it lists more than ${String(maxListed)} items`);
      next = page.next ?? null;
      if (next !== null && (!next.startsWith('/') || seen.has(next) || page.data.length === 0))
        throw notOurs(this.#base, 'its pages do not end');
    }
    return items.slice(0, limit);
  }

  async #text(response: Response): Promise<string> {
    try {
      return await textOf(response, this.#base);
    } catch (error) {
      throw error instanceof KongTsError ? error : this.#brokeOff(error);
    }
  }

  #brokeOff(cause: unknown): KongTsError {
    return new KongTsError(
      'HOOKS_UNAVAILABLE',
      `The answer of ${this.#base} broke off: ${messageOf(cause)}.`,
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
    throw notOurs(where, `it answered ${JSON.stringify(text.slice(0, 60))}, which is no JSON`);
  }
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Not ours: shown as it is.
  }
  return text.slice(0, 200);
}
