import { isHarmlessHeader, maskHeaders } from './harmless-headers.ts';
import type { Hook, WebhookCustomConfig } from './hook.ts';
import type { ShortSecret } from './short-secrets.ts';

/** A shorter text would garble every answer. */
const minLength = 4;
/** Words in front of credentials. */
const schemes = /^(?:apikey|api-key|basic|bearer|digest|key|negotiate|ntlm|splunk|token)$/i;

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
  if (hook.handler === 'lambda') return secretsOfLua(hook.config.functions);
  if (hook.handler !== 'webhook' && hook.handler !== 'webhook-custom') return [];
  const { url, secret, previous_secrets: previous = [], headers } = hook.config;
  const found = [
    ...[secret, ...previous].flatMap((text) => (text === null ? [] : [text, ...keysOf(text)])),
    ...Object.entries(headers).flatMap(([name, value]) =>
      isHarmlessHeader(name) ? [] : [value, ...outsideTags(value).flatMap(valuesIn)],
    ),
    ...secretsOfUrl(url),
    ...(hook.handler === 'webhook-custom' ? secretsOfBody(hook.config) : []),
  ];
  const texts = found.map((text) => text.trim()).filter((text) => text.length >= minLength);
  return [...new Set(texts)];
}

/** Secrets that are too short for that, where a target may say them: values of headers, and of the URL's query. */
export function shortSecretsOf(hook: Hook): ShortSecret[] {
  if (hook.handler !== 'webhook' && hook.handler !== 'webhook-custom') return [];
  const { url, headers, secret } = hook.config;
  const found = Object.entries(headers).filter(([name]) => !isHarmlessHeader(name));
  if (URL.canParse(url)) {
    const { searchParams, username, password } = new URL(url);
    found.push(...searchParams, ['password', decoded(password)], ['username', decoded(username)]);
  }
  found.push(['secret', secret ?? '']);
  return found
    .map(([name, value]) => ({ name, value: value.trim() }))
    .filter(({ name, value }) => name !== '' && value !== '' && value.length < minLength);
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
  return texts
    .flatMap(outsideTags)
    .flatMap((text) => text.split(/[\s,;:="'<>(){}[\]&]+/))
    .filter(isTokenLike);
}

/** How the tags of a template end, by the character after the brace that opens them. */
const endings: Readonly<Record<string, string>> = { '{': '}}', '*': '*}', '%': '%}' };

/** The pieces of a text between the tags of a template. Each kind of ending is missed once at most. */
function outsideTags(text: string): string[] {
  const pieces: string[] = [];
  const missed = new Set<string>();
  let from = 0;
  for (let open = text.indexOf('{'); open !== -1; open = text.indexOf('{', open + 1)) {
    const ending = endings[text[open + 1] ?? ''];
    if (ending === undefined || missed.has(ending)) continue;
    const close = text.indexOf(ending, open + 2);
    if (close === -1) {
      missed.add(ending);
      continue;
    }
    pieces.push(text.slice(from, open));
    from = close + ending.length;
    open = from - 1;
  }
  pieces.push(text.slice(from));
  return pieces;
}

/** What looks like a token in the strings of Lua functions, and what is set under a name of a secret. */
function secretsOfLua(functions: readonly string[]): string[] {
  return functions.flatMap((source) => {
    const strings = [...source.matchAll(/(["'])((?:\\.|(?!\1)[^\\\n])*)\1/g)].map(([, , text = '']) => text);
    const tokens = strings.flatMap((text) => [text, ...text.split(/[\s,;:=]+/)]).filter(isTokenLike);
    const named = [
      ...source.matchAll(
        /(?:password|passwd|secret|token|authorization|key)\w*["']?\]?\s*=\s*(["'])((?:\\.|(?!\1)[^\\\n])+)\1/gi,
      ),
    ].map(([, , text = '']) => text);
    return [...tokens, ...named].filter((text) => text.length >= minLength);
  });
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
