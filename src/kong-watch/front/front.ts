import type { KongWatch } from '../watcher/kong-watch.ts';
import type { PassThroughOptions } from './pass-through.ts';
import { isEventHooksPath, PassThrough } from './pass-through.ts';

/** The event hooks' Admin API in front of Kong's own: it decides which paths are ours, and hands the others on. */
export interface Front {
  /** Whether a path is the event hooks' own. */
  isOurs(url: string): boolean;
  readonly handle: PassThrough['handle'];
  close(): void;
}

/** Collections of Kong 3.9 and of Enterprise: `/services/event-hooks` is a service, not a workspace. */
const collections = new Set(
  (
    'acls acme acme_storage admins applications basic-auths ca_certificates cache certificates clustering config ' +
    'consumer_groups consumers debug degraphql_routes developers endpoints files filter-chains groups hmac-auths jwts ' +
    'key-auths key-auths-enc key-sets keyring keys licenses metrics oauth2 oauth2_tokens partials plugins proxy-cache ' +
    'rbac routes schemas services sessions snis status tags targets timers upstreams userinfo vaults workspaces'
  ).split(' '),
);

/**
 * @param kong URL of Kong's Admin API
 * @param lendLoginTo the clients that get its user and password if they bring none; see PassThroughOptions
 */
export function createFront(
  kong: string,
  watch: Pick<KongWatch, 'lookNow' | 'isCollection'>,
  lendLoginTo: PassThroughOptions['lendLoginTo'] = null,
): Front {
  const pass = new PassThrough({
    target: new URL(kong),
    lendLoginTo,
    onWrite: (method, path) => {
      watch.lookNow(method, path);
    },
  });
  return {
    isOurs: (url) =>
      isEventHooksPath(url, (segment) => collections.has(segment) || watch.isCollection(segment)),
    handle: pass.handle,
    close: () => {
      pass.close();
    },
  };
}
