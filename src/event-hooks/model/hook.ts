/** Kinds of handler that a hook can name. */
export const handlerNames = ['webhook', 'webhook-custom', 'log', 'lambda'] as const;
export type HandlerName = (typeof handlerNames)[number];

/** How `x-kong-signature` is computed: SHA-256 as in Kong 3.14 and later, SHA-1 as before. */
export type SignatureAlgorithm = 'sha256' | 'sha1';

interface SignedTarget {
  url: string;
  headers: Record<string, string>;
  secret: string | null;
  ssl_verify: boolean;
  /** Secrets that still sign while `secret` is being rotated. Ours; left out while unset. */
  previous_secrets?: string[];
  /** Ours; left out while unset, which means sha256. */
  signature?: SignatureAlgorithm;
}
export type WebhookConfig = SignedTarget;
export interface WebhookCustomConfig extends SignedTarget {
  method: string;
  headers_format: boolean;
  payload: Record<string, string> | null;
  payload_format: boolean;
  body: string | null;
  body_format: boolean;
}
export type LogConfig = Record<string, never>;
export interface LambdaConfig {
  functions: string[];
}

export type FilterScalar = string | number | boolean | null;
/** Conditions on one value; all must hold. A bare scalar means `eq`. */
export interface FilterCondition {
  eq?: FilterScalar;
  ne?: FilterScalar;
  in?: FilterScalar[];
  not_in?: FilterScalar[];
  gt?: number;
  gte?: number;
  lt?: number;
  lte?: number;
  exists?: boolean;
  starts_with?: string;
  ends_with?: string;
  contains?: string;
}
/** Dotted path in the payload -> condition; every path must match for the hook to fire. */
export type HookFilter = Record<string, FilterScalar | FilterCondition>;

interface HookBase {
  id: string;
  /** Seconds since the epoch. */
  created_at: number;
  updated_at: number;
  source: string;
  /** null: every event of the source. */
  event: string | null;
  on_change: boolean | null;
  /** Seconds. */
  snooze: number | null;
  /** Ours; left out while true. */
  enabled?: false;
  /** Ours: why the hook was switched off. */
  disabled_reason?: string;
  /** Ours: fires only for payloads that match. */
  filter?: HookFilter;
  /** Ours: deliveries in flight at a time. */
  concurrency?: number;
  /** Ours: deliveries per second. */
  rate?: number;
  /** Ours: seconds between attempts, in place of the dispatcher's schedule. */
  retry_schedule?: number[];
}
export type Hook =
  | (HookBase & { handler: 'webhook'; config: WebhookConfig })
  | (HookBase & { handler: 'webhook-custom'; config: WebhookCustomConfig })
  | (HookBase & { handler: 'log'; config: LogConfig })
  | (HookBase & { handler: 'lambda'; config: LambdaConfig });

const sensitive = /authorization|cookie|token|secret|api-?key|password|signature/i;

/** A hook as it may be written to logs, records and ping payloads: without secrets and credentials. */
export function withoutSecrets(hook: Hook): Record<string, unknown> {
  const config: Record<string, unknown> = { ...hook.config };
  delete config.secret;
  delete config.previous_secrets;
  if (hook.handler === 'webhook' || hook.handler === 'webhook-custom') {
    config.url = redactUrl(hook.config.url);
    config.headers = Object.fromEntries(
      Object.entries(hook.config.headers).map(([k, v]) => [k, sensitive.test(k) ? '***' : v]),
    );
  }
  return { ...hook, config };
}

/** What must never be shown of a hook, should it come back from its target: each text as it goes over the wire. */
export function secretsOf(hook: Hook): string[] {
  if (hook.handler !== 'webhook' && hook.handler !== 'webhook-custom') return [];
  const { url, secret, previous_secrets: previous = [], headers } = hook.config;
  const found = [secret ?? '', ...previous];
  for (const [name, value] of Object.entries(headers)) if (sensitive.test(name)) found.push(value);
  if (URL.canParse(url)) {
    const { username, password, searchParams } = new URL(url);
    if (password !== '') {
      const [user, word] = [decodeURIComponent(username), decodeURIComponent(password)];
      found.push(word, Buffer.from(`${user}:${word}`).toString('base64'));
    }
    for (const [name, value] of searchParams) if (sensitive.test(name)) found.push(value);
  }
  // The longest first: one may hold another.
  return [...new Set(found)].filter((text) => text.length >= 4).sort((a, b) => b.length - a.length);
}

/** The URL without user, password and query values. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return '<invalid url>';
  const url = new URL(text);
  url.username = '';
  url.password = '';
  url.search = url.search === '' ? '' : '?***';
  return url.href;
}

/** Whether two names speak of the same event: `crud` events carry their operation beside the entity's name. */
export function firedName(
  hook: Pick<Hook, 'source' | 'event'>,
  event: string,
  operation: unknown,
): string | null {
  if (hook.event === null || hook.event === event) return event;
  if (hook.source === 'crud' && typeof operation === 'string' && hook.event === `${event}:${operation}`) {
    return hook.event;
  }
  return null;
}

/** The event's name as the hook's payload says it: its own `consumers:update` for the crud event `consumers`. */
export function eventNameFor(hook: Pick<Hook, 'source' | 'event'>, event: string): string {
  return hook.source === 'crud' && hook.event?.startsWith(`${event}:`) === true ? hook.event : event;
}
