import { isHarmlessHeader, maskHeaders } from './harmless-headers.ts';
import type { Hidden, Secrecy } from './kind.ts';

/** How fields are kept secret if a part of them may be shown. The records of kinds of handler use these. */

/** A URL: without user, password, values of the query, and what looks like a token in its path. */
export const urlSecrets: Secrecy<string> = { show: redactUrl, hide: secretsOfUrl };

/** Headers: values of those that are not known to be harmless are masked, and hidden as a whole and by their words. */
export const headerSecrets: Secrecy<Readonly<Record<string, string>>> = {
  show: maskHeaders,
  hide: (headers) =>
    Object.entries(headers).flatMap(([name, value]) =>
      isHarmlessHeader(name) ? [] : [{ name, value }, ...unnamed(outsideTags(value).flatMap(valuesIn))],
    ),
};

/** Templates that the author writes, one or many by name: tokens that stand in them are hidden. */
export const templateSecrets: Secrecy<string | Readonly<Record<string, string>>> = {
  show: (value) => value,
  hide: (value) =>
    unnamed(
      (typeof value === 'string' ? [value] : Object.values(value))
        .flatMap(outsideTags)
        .flatMap((text) => text.split(/[\s,;:="'<>(){}[\]&]+/))
        .filter(isTokenLike),
    ),
};

/** Lua sources: tokens in their strings are hidden, and so are values that are set under a secret's name. */
export const luaSecrets: Secrecy<readonly string[]> = {
  show: (value) => value,
  hide: (functions) => unnamed(functions.flatMap(secretsOfLua)),
};

const unnamed = (values: readonly string[]): Hidden[] => values.map((value) => ({ name: '', value }));

/** Words in front of credentials. */
const schemes = /^(?:apikey|api-key|basic|bearer|digest|key|negotiate|ntlm|splunk|token)$/i;

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

function secretsOfUrl(text: string): Hidden[] {
  if (!URL.canParse(text)) return [];
  const { username, password, pathname, search, searchParams } = new URL(text);
  const found = [...searchParams].map(([name, value]) => ({ name, value }));
  // As they are written, because a target may show the line that it received.
  const others = search
    .slice(1)
    .split('&')
    .map((pair) => pair.slice(pair.indexOf('=') + 1));
  for (const segment of pathname.split('/')) if (isTokenLike(segment)) others.push(segment, decoded(segment));
  if (username !== '' || password !== '') {
    const [user, word] = [decoded(username), decoded(password)];
    found.push({ name: 'password', value: word });
    others.push(password, `${user}:${word}`, Buffer.from(`${user}:${word}`).toString('base64'));
    // A user's name is not a secret beside a password. A short one is looked for behind its name only.
    if (password === '' || isTokenLike(user) || user.length < 4)
      found.push({ name: 'username', value: user });
  }
  return [...found, ...unnamed(others)];
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

/** What looks like a token in the strings of a Lua function, and what is set under a name of a secret. */
function secretsOfLua(source: string): string[] {
  const strings = [...source.matchAll(/(["'])((?:\\.|(?!\1)[^\\\n])*)\1/g)].map(([, , text = '']) => text);
  const tokens = strings.flatMap((text) => [text, ...text.split(/[\s,;:=]+/)]).filter(isTokenLike);
  const named = [
    ...source.matchAll(
      /(?:password|passwd|secret|token|authorization|key)\w*["']?\]?\s*=\s*(["'])((?:\\.|(?!\1)[^\\\n])+)\1/gi,
    ),
  ].map(([, , text = '']) => text);
  return [...tokens, ...named];
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
