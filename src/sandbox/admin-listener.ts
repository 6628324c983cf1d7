import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { KongTsError } from '../base/errors.ts';
import { isLoopback, door, bounded, httpLimits } from '../http/index.ts';
import { createNodeServer } from '../http/http1/index.ts';
import type { AdminOptions } from './admin/types.ts';
import type { KnownPlugin, MutableEntityStore } from '../kong-end/index.ts';
import type { ListenAddress } from './gateway/listen.ts';
import { listenError, urlHost } from './gateway/listen.ts';

export interface AdminListener {
  /** Of the first listener without TLS, null when there is none. */
  readonly url: string | null;
  /** Of the first listener with TLS. */
  readonly tlsUrl: string | null;
  close(): Promise<void>;
}

export interface AdminApiOptions {
  readonly store: MutableEntityStore;
  readonly known: () => readonly KnownPlugin[];
  readonly eventHooksAdmin: string | null;
  readonly workspaces: boolean;
  readonly database: 'postgres' | 'off';
  readonly startsServers: boolean;
  /** How `POST /config` treats what the sandbox does not run. */
  readonly loading: NonNullable<AdminOptions['loading']>;
  readonly nodeId: string;
  /** Names that clients may call the Admin API by, beside addresses and local names. */
  readonly allowHosts: readonly string[];
  readonly workerPids: () => readonly number[];
  /** The certificate of listeners with `ssl`. */
  readonly certificate: () => SecureContextOptions;
}

function adminUrl(text: string): URL {
  try {
    return new URL(/^[a-z]+:\/|^unix:/.test(text) ? text : `http://${text}`);
  } catch (error) {
    throw new KongTsError('USAGE', `"${text}" is not an address of an event hook dispatcher.`, {
      cause: error,
      fix: 'Write --event-hooks-admin http://127.0.0.1:8002.',
    });
  }
}

/** Starts the Admin API on all the addresses. @throws KongTsError PORT_IN_USE, SOCKET_UNUSABLE, USAGE */
export async function startAdmin(
  addresses: readonly ListenAddress[],
  options: AdminApiOptions,
): Promise<AdminListener> {
  const { eventHooksAdmin, certificate, allowHosts, ...rest } = options;
  const { createAdminApi, refuseUnread } = await import('./admin/index.ts');
  const api = createAdminApi({
    ...rest,
    ...(eventHooksAdmin === null ? {} : { eventHooksAdmin: adminUrl(eventHooksAdmin) }),
  });
  // Kong lets everybody in who can connect; here the listener is on a developer's machine, where web pages can, too.
  const handlerOf = (host: string): http.RequestListener =>
    door({ loopback: isLoopback(host), names: allowHosts }, api);
  const servers: http.Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  const urls: { tls: boolean; url: string }[] = [];
  try {
    for (const address of addresses) {
      const server = bounded(
        createNodeServer({
          limits: httpLimits,
          handle: handlerOf(address.host),
          refuse: refuseUnread,
          ...(address.tls ? { certificate: certificate() } : {}),
        }),
      );
      servers.push(server);
      const port = await listen(server, address);
      const scheme = address.tls ? 'https' : 'http';
      urls.push({ tls: address.tls, url: `${scheme}://${urlHost(address.host)}:${String(port)}` });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const first = (tls: boolean): string | null => urls.find((each) => each.tls === tls)?.url ?? null;
  return { url: first(false), tlsUrl: first(true), close };
}

function listen(server: http.Server, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen(address.port, address.host, () => resolve((server.address() as AddressInfo).port));
  });
}

function closeServer(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
