import type { AddressInfo } from 'node:net';
import { KongTsError } from '../errors.ts';
import type { KnownPlugin, MutableEntityStore } from './entities/index.ts';
import { listenError, urlHost, type ListenAddress } from './gateway/listen.ts';

export interface AdminListener {
  readonly url: string;
  close(): Promise<void>;
}

export interface AdminApiOptions {
  readonly store: MutableEntityStore;
  readonly known: readonly KnownPlugin[];
  readonly eventHooksAdmin: string | null;
  readonly workspaces: boolean;
  readonly database: 'postgres' | 'off';
  readonly nodeId: string;
}

function adminUrl(text: string): URL {
  try {
    return new URL(/^[a-z]+:\/|^unix:/.test(text) ? text : `http://${text}`);
  } catch (error) {
    throw new KongTsError('USAGE', `"${text}" is no address of an event hook dispatcher.`, {
      cause: error,
      fix: 'Write --event-hooks-admin http://127.0.0.1:8002.',
    });
  }
}

/** Starts the Admin API. @throws KongTsError PORT_IN_USE, SOCKET_UNUSABLE, USAGE */
export async function startAdmin(address: ListenAddress, options: AdminApiOptions): Promise<AdminListener> {
  const { eventHooksAdmin, ...rest } = options;
  const { createAdminApi } = await import('./admin/index.ts');
  const api = createAdminApi({
    ...rest,
    ...(eventHooksAdmin === null ? {} : { eventHooksAdmin: adminUrl(eventHooksAdmin) }),
  });
  try {
    await api.listen({ host: address.host, port: address.port });
  } catch (error) {
    await api.close();
    throw listenError(address, error as NodeJS.ErrnoException);
  }
  const { port } = api.server.address() as AddressInfo;
  return { url: `http://${urlHost(address.host)}:${String(port)}`, close: async () => api.close() };
}
