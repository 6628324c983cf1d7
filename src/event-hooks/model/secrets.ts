import { isHarmlessHeader, maskHeaders } from './harmless-headers.ts';
import type { Hook, WebhookCustomConfig } from './hook.ts';

/** A shorter text would garble every answer. */
const minLength = 4;
/** Words in front of credentials. */
const schemes = /^(?:apikey|api-key|basic|bearer|digest|key|negotiate|ntlm|splunk|token)$/i;
/** Anything in braces of a template. */
const tags = /\{\{.*?\}\}|\{\*.*?\*\}|\{%.*?%\}/gs;

/** A hook as it may be written to logs, records and ping payloads: without secrets and credentials. */
export function withoutSecrets(hook: Hook): Record<string, unknown> {
  const config: Record<string, unknown> = { ...hook.config };
  delete config.secret;
  delete config.previous_secrets;
  if (hook.handler === 'webhook' || hook.handler === 'webhook-custom') {
    config.url = redactUrl(hook.config.url);
    config.headers = maskHeaders(hook.config.headers);
  }
  return { ...hook, config };
}

/**
 * What must never be shown of a hook, should it come back from its target: secrets, values of headers that are not known
 * to be harmless, user, password and query values of the URL, and what looks like a token in its path and in what the
 * hook writes into bodies. Each as it is set, and what is left of it without its scheme or name.
 */
export function secretsOf(hook: Hook): string[] {
  if (hook.handler !== 'webhook' && hook.handler !== 'webhook-custom') return [];
  const { url, secret, previous_secrets: previous = [], headers } = hook.config;
  const found = [secret, ...previous].flatMap((text) => (text === null ? [] : [text, ...keysOf(text)]));
  for (const [name, value] of Object.entries(headers))
    if (!isHarmlessHeader(name)) found.push(value, ...value.split(tags).flatMap(valuesIn));
  found.push(...secretsOfUrl(url));
  if (hook.handler === 'webhook-custom') found.push(...secretsOfBody(hook.config));
  const texts = found.map((text) => text.trim()).filter((text) => text.length >= minLength);
  return [...new Set(texts)];
}

/** The key of a Standard Webhooks secret, without its mark. */
const keysOf = (secret: string): string[] => (secret.startsWith('whsec_') ? [secret.slice(6)] : []);

/** The value and its words: a target may send back a part. */
function valuesIn(value: string): string[] {
  const words = value.split(/[\s,;="']+/).filter((word) => !schemes.test(word));
  const pairs = /^\s*basic\s/i.test(value) ? words.flatMap(pairIn) : [];
  return [value.trim(), ...words, ...pairs];
}

/** User and password of a Basic credential. */
function pairIn(word: string): string[] {
  const pair = Buffer.from(word, 'base64').toString('utf8');
  const at = pair.indexOf(':');
  return at === -1 ? [] : [pair, pair.slice(at + 1)];
}

function secretsOfUrl(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { username, password, pathname, search, searchParams } = new URL(text);
  const found = [...searchParams.values()];
  // As they are written: a target may show the line that it was sent.
  for (const pair of search.slice(1).split('&')) found.push(pair.slice(pair.indexOf('=') + 1));
  for (const segment of pathname.split('/')) if (isTokenLike(segment)) found.push(segment, decoded(segment));
  if (username !== '' || password !== '') {
    const [user, word] = [decoded(username), decoded(password)];
    found.push(word, password, `${user}:${word}`, Buffer.from(`${user}:${word}`).toString('base64'));
    if (password === '' || isTokenLike(user)) found.push(user);
  }
  return found;
}

/** Tokens that a hook writes into its bodies itself. */
function secretsOfBody({ payload, body }: WebhookCustomConfig): string[] {
  const texts = [...Object.values(payload ?? {}), body ?? ''];
  return texts.flatMap((text) => text.replace(tags, ' ').split(/[\s,;:="'<>(){}[\]&]+/)).filter(isTokenLike);
}

/** Words have no digits, and names are short. */
const isTokenLike = (text: string): boolean =>
  text.length >= 12 && /\d/.test(text) && /^[\w\-.~+/%=]+$/.test(text);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The URL without user, password, query values, fragment, and what looks like a token in its path. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return '<invalid url>';
  const url = new URL(text);
  url.username = '';
  url.password = '';
  url.hash = '';
  url.pathname = url.pathname
    .split('/')
    .map((segment) => (isTokenLike(segment) ? '***' : segment))
    .join('/');
  url.search = url.search === '' ? '' : '?***';
  return url.href;
}
