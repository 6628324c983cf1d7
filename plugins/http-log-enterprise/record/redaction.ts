import type { Config } from '../config/schema.ts';
import { cleanUrl } from './clean-url.ts';
import type { JsonObject } from './document.ts';
import { quote } from './json.ts';
import { keepPaths, redactPaths } from './json-paths.ts';
import { secretHeaders, secretQueryArgs, urlHeaders } from './secrets.ts';

export type Redaction = (record: JsonObject) => void;
type IsSecret = (name: string) => boolean;

/** Which names are secret (`token[]` and `token[a]` like `token`); null when the configuration says nothing about this kind of name. */
function secretTest(
  mode: 'deny' | 'allow',
  listed: readonly string[] | undefined,
  defaults: readonly string[],
): IsSecret | null {
  const names = new Set((listed ?? []).map((name) => name.toLowerCase()));
  if (mode === 'allow') return listed === undefined ? null : (name) => !names.has(name);
  for (const name of defaults) names.add(name);
  return names.size === 0 ? null : (name) => names.has(name) || names.has(name.replace(/\[.*$/s, ''));
}

function redactMembers(node: JsonObject | null, isSecret: IsSecret, replacement: string): void {
  for (const key of node?.keys() ?? []) {
    // An argument without a value (`?flag`) is `true` in the record, so there is nothing to hide.
    if (isSecret(key.toLowerCase()) && node?.get(key) !== 'true') node?.set(key, replacement);
  }
}

function cleanMember(node: JsonObject | null, key: string, clean: (url: string) => string): void {
  const url = node?.value(key);
  if (node === null || typeof url !== 'string') return;
  const cleaned = clean(url);
  if (cleaned !== url) node.set(key, quote(cleaned));
}

function compileHeaders(isSecret: IsSecret | null, raw: string): Redaction {
  return (record) => {
    if (isSecret === null) return;
    redactMembers(record.object('request')?.object('headers') ?? null, isSecret, raw);
    redactMembers(record.object('response')?.object('headers') ?? null, isSecret, raw);
  };
}

function compileQueryArgs(isSecret: IsSecret | null, replacement: string, raw: string): Redaction {
  return (record) => {
    if (isSecret === null) return;
    const clean = (url: string): string => cleanUrl(url, isSecret, replacement);
    const request = record.object('request');
    redactMembers(request?.object('querystring') ?? null, isSecret, raw);
    cleanMember(request, 'uri', clean);
    cleanMember(request, 'url', clean);
    cleanMember(record, 'upstream_uri', clean);
    for (const headers of [request?.object('headers'), record.object('response')?.object('headers')]) {
      for (const name of urlHeaders) cleanMember(headers ?? null, name, clean);
    }
  };
}

/** Compiles the redaction, null when none is configured: then the records stay Kong's. */
export function compileRedaction(config: Config['redaction']): Redaction | null {
  if (config === undefined) return null;
  const { mode, replacement, json_paths: paths } = config;
  const raw = quote(replacement);
  const defaults = mode === 'deny' && config.defaults;
  const headers = compileHeaders(secretTest(mode, config.headers, defaults ? secretHeaders : []), raw);
  const queryArgs = compileQueryArgs(
    secretTest(mode, config.query_args, defaults ? secretQueryArgs : []),
    // Bytes that are not UTF-8 are lone surrogates here.
    encodeURIComponent(replacement.toWellFormed()),
    raw,
  );
  return (record) => {
    headers(record);
    queryArgs(record);
    if (paths === undefined) return;
    if (mode === 'deny') redactPaths(record, paths, raw);
    else keepPaths(record, paths);
  };
}
