import type { Command } from 'commander';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { readSecret, secrets } from '../../base/secrets.ts';

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
    const response = await this.open(method, path, body);
    const text = await response.text();
    return (text === '' ? null : JSON.parse(text)) as T;
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
    const text = await response.text();
    throw new KongTsError('HOOK_INVALID', `${method} ${path}: ${String(response.status)} ${messageIn(text)}`);
  }

  /** Every item of a paged list, up to a limit. */
  async list<T>(path: string, limit = Number.POSITIVE_INFINITY): Promise<T[]> {
    const items: T[] = [];
    let next: string | null = path;
    while (next !== null && items.length < limit) {
      const page: { data: T[]; next: string | null } = await this.call('GET', next);
      items.push(...page.data);
      next = page.next;
    }
    return items.slice(0, limit);
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
