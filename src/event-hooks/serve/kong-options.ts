import { maskUserInfo } from '../../base/user-info.ts';
import { readSecret, secrets } from '../../base/secrets.ts';
import { kongFlags, usage } from './flags.ts';
import type { KongWatchOptions } from '../../kong-watch/index.ts';

/** The Kong that a dispatcher watches and stands in front of. */
export interface KongOptions extends KongWatchOptions {
  /** Send user and password of the URL for clients that bring none, also to a listener that is not loopback. */
  readonly lendLogin: boolean;
}

/** @throws KongTsError USAGE */
export function readKongOptions(
  values: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): KongOptions | null {
  const url =
    values['kong-admin'] ??
    readSecret(secrets.kongAdmin, values['kong-admin-file'] as string | undefined, environment);
  if (typeof url !== 'string') {
    for (const { name } of kongFlags) {
      if (values[name] !== undefined) throw usage(`--${name} needs --kong-admin or --kong-admin-file`);
    }
    return null;
  }
  checkKongAdmin(url);
  const file = values['kong-admin-token-file'];
  const given =
    file === undefined && values['kong-admin-token'] !== undefined
      ? values['kong-admin-token']
      : readSecret(secrets.kongToken, file as string | undefined, environment);
  const list = values['crud-interval'];
  return {
    url,
    token: typeof given === 'string' && given !== '' ? given : null,
    secrets: values['crud-secrets'] === true,
    lendLogin: values['lend-kong-login'] === true,
    ...readIntervals(Array.isArray(list) ? list.map(String) : []),
  };
}

/** @throws KongTsError USAGE unless it is an http or https URL */
export function checkKongAdmin(url: string): void {
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol)) {
    throw usage(`--kong-admin needs a URL such as http://127.0.0.1:8001, not ${maskUserInfo(url)}`);
  }
}

/** `5`, `consumers=30`: seconds to milliseconds. @throws KongTsError USAGE */
export function readIntervals(list: readonly string[]): {
  intervalMs?: number;
  intervals?: Record<string, number>;
} {
  const intervals: Record<string, number> = {};
  let intervalMs: number | undefined;
  for (const text of list) {
    const [, kind, number] = /^(?:([a-z0-9_-]+)=)?(\d+(?:\.\d+)?)$/.exec(text) ?? [];
    const seconds = Number(number);
    if (!(seconds >= 0.1 && seconds <= 86_400)) {
      throw usage(`--crud-interval needs seconds from 0.1 to 86400, or KIND=SECONDS, not ${text}`);
    }
    if (kind === undefined) intervalMs = seconds * 1000;
    else intervals[kind] = seconds * 1000;
  }
  return { ...(intervalMs === undefined ? {} : { intervalMs }), intervals };
}
