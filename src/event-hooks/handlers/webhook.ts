import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { HttpTarget } from '../delivery/http-target.ts';
import type { HttpAnswer, HttpTargetOptions } from '../delivery/http-target.ts';
import { isHarmlessHeader, maskHeaders } from '../model/harmless-headers.ts';
import { eventNameFor } from '../model/hook.ts';
import type { HookOf } from '../model/hook.ts';
import { redactUrl } from '../model/secrets.ts';
import { renamePayload } from '../model/payload.ts';
import type { Delivery, SentRequest } from '../store/types.ts';
import { targetAddresses, targetFields, targetSecrets } from './http-fields.ts';
import type { TargetConfig } from './http-fields.ts';
import { defineKind } from './kind.ts';
import { checkSecrets, Signer } from './signature.ts';
import { deliveryId } from './types.ts';
import type { Composed, HookHandler, Outcome, TestResult } from './types.ts';

/** Sends HTTP requests for a hook: what `webhook` and `webhook-custom` share. */
export class HttpHandler implements HookHandler {
  readonly target: string;
  readonly #http: Pick<HttpTarget, 'send' | 'close'>;
  readonly #path: string;
  /** Without what may be a secret. */
  readonly #shownUrl: string;
  readonly #authorization: string | null;
  readonly #signer: Signer | null;
  /** Signs when the time of previous secrets is over. */
  readonly #later: Signer | null;
  /** Seconds since the epoch. */
  readonly #previousUntil: number;
  readonly #hook: HookOf<TargetConfig>;
  readonly #clock: Clock;
  readonly #compose: (payload: string) => Composed | Promise<Composed>;

  constructor(
    hook: HookOf<TargetConfig>,
    options: HttpTargetOptions,
    clock: Clock,
    compose: (payload: string) => Composed | Promise<Composed>,
  ) {
    const { url, secret, previous_secrets: previous, signature } = hook.config;
    const parsed = new URL(url);
    this.target = parsed.origin;
    this.#path = `${parsed.pathname}${parsed.search}`;
    this.#shownUrl = redactUrl(url).slice(0, longestShown);
    this.#authorization = basicAuthorization(parsed);
    this.#http = options.ownTarget?.(parsed.origin) ?? new HttpTarget(parsed.origin, options);
    this.#signer = secret === null ? null : new Signer(secret, previous, signature);
    this.#later = secret === null ? null : new Signer(secret, [], signature);
    this.#previousUntil = hook.config.previous_secrets_until ?? Infinity;
    this.#hook = hook;
    this.#clock = clock;
    this.#compose = compose;
  }

  async attempt(delivery: Delivery): Promise<Outcome> {
    const { payload, event } = delivery;
    const name = eventNameFor(this.#hook, event);
    const answer = await this.#send(
      name === event ? payload : renamePayload(payload, name),
      deliveryId(delivery.hookId, delivery.eventId),
    );
    const { sent, request } = answer;
    return { ...outcomeOf(answer, this.#clock.now()), sent, ...(request === null ? {} : { request }) };
  }

  async test(payload: Record<string, unknown>, id: string): Promise<TestResult> {
    const { status, headers, body, error } = await this.#send(JSON.stringify(payload), id);
    if (error !== null || status === null) return { error: error ?? 'no response' };
    return { body, headers: shownHeaders(headers), status };
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #send(payload: string, id: string): Promise<HttpAnswer & { request: SentRequest | null }> {
    let composed;
    try {
      const made = this.#compose(payload);
      composed = made instanceof Promise ? await made : made;
    } catch (error) {
      const { message } = error as Error;
      return { status: null, headers: {}, body: '', error: message, sent: 0, address: null, request: null };
    }
    const { method, body } = composed;
    const timestamp = Math.floor(this.#clock.now() / 1000);
    const headers = ['user-agent', 'kong-ts', 'webhook-id', id, 'webhook-timestamp', String(timestamp)];
    // Answers are kept as they come and never decompressed.
    if (composed.headers['accept-encoding'] === undefined) headers.push('accept-encoding', 'identity');
    const signer = timestamp < this.#previousUntil ? this.#signer : this.#later;
    if (signer !== null) {
      headers.push('x-kong-signature', signer.kong(body ?? ''));
      headers.push('webhook-signature', signer.standard(id, timestamp, body ?? ''));
    }
    for (const name in composed.headers) {
      if (!ownHeaders.has(name)) headers.push(name, asBytes(composed.headers[name] ?? ''));
    }
    if (this.#authorization !== null && composed.headers.authorization === undefined) {
      headers.push('authorization', this.#authorization);
    }
    const answer = await this.#http.send({ id, method, path: this.#path, headers, body });
    return { ...answer, request: this.#shown(method, headers, answer.address) };
  }

  #shown(method: string, headers: readonly string[], address: string | null): SentRequest {
    const shown: Record<string, string> = {};
    for (let at = 0; at + 1 < headers.length && at < 2 * mostShownHeaders; at += 2)
      shown[headers[at] ?? ''] = (headers[at + 1] ?? '').slice(0, longestShown);
    return { method, url: this.#shownUrl, address, headers: maskHeaders(shown) };
  }
}

/** A header's value goes out byte by byte: other characters than ASCII as UTF-8, as Kong sends them. */
const asBytes = (value: string): string =>
  /^[\x20-\x7e]*$/.test(value) ? value : Buffer.from(value, 'utf8').toString('latin1');

/** What a record keeps of a request: so many headers, and so much of each and of the URL, in characters. */
const mostShownHeaders = 48;
const longestShown = 512;

/** Headers that a hook's own `headers` cannot set. */
const ownHeaders = new Set(['webhook-id', 'webhook-timestamp', 'webhook-signature', 'x-kong-signature']);

/** Headers of an answer: those that are known to be harmless. */
function shownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const shown = Object.entries(headers).map(([name, value]) => {
    if (name === 'location') return [name, URL.canParse(value) ? redactUrl(value) : '***'];
    return [name, isHarmlessHeader(name) ? value : '***'];
  });
  return Object.fromEntries(shown) as Record<string, string>;
}

/** The handler `webhook`: POSTs the payload as JSON. */
export const webhook = defineKind({
  name: 'webhook',
  config: z.strictObject(targetFields),
  secrets: targetSecrets,
  addresses: targetAddresses,
  check: checkSecrets,
  pings: true,
  create: (hook, { http, clock }) =>
    new HttpHandler(hook, http(hook.config.ssl_verify), clock, composer(hook.config)),
  request: ({ config }, payload) => ({ url: config.url, ...composer(config)(payload) }),
});

function composer(config: TargetConfig): (payload: string) => Composed {
  const headers = { 'content-type': 'application/json', ...lowerCase(config.headers) };
  return (body) => ({ method: 'POST', headers, body });
}

export function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function basicAuthorization(url: URL): string | null {
  if (url.username === '' && url.password === '') return null;
  const text = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

/** 2xx is success, and everything else is not. The result says when the target wants the next attempt. */
export function outcomeOf(
  { status, headers, body, error }: Omit<HttpAnswer, 'sent' | 'address'>,
  now: number,
): Outcome {
  const response = status === null ? null : body;
  if (error !== null || status === null)
    return { ok: false, status, error: error ?? 'no response', response };
  if (status >= 200 && status < 300) return { ok: true, status, error: null, response };
  if (status === 410) return { ok: false, status, error: 'the target is gone (410)', response, gone: true };
  const redirect = status >= 300 && status < 400;
  const outcome: Outcome = {
    ok: false,
    status,
    error: redirect ? `status ${String(status)}: redirects are not followed` : `status ${String(status)}`,
    response,
  };
  const retryAfterMs = parseRetryAfter(headers['retry-after'], now);
  return retryAfterMs === null ? outcome : { ...outcome, retryAfterMs };
}

/** `Retry-After` in milliseconds from now: seconds or an HTTP date in any form of RFC 9110; null for anything else. */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Date.parse takes nearly anything, "-5" as a month. It takes a time without a zone for local time.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return null;
  const at = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
