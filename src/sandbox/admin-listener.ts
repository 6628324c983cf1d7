import type { AddressInfo } from 'node:net';
import type { KnownPlugin, MutableEntityStore } from './entities/index.ts';
import { listenError, urlHost, type ListenAddress } from './gateway/listen.ts';

export interface AdminListener {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the Admin API. @throws KongTsError PORT_IN_USE, SOCKET_UNUSABLE, USAGE */
export async function startAdmin(
  address: ListenAddress,
  options: { store: MutableEntityStore; known: readonly KnownPlugin[]; eventHooksAdmin: string | null },
): Promise<AdminListener> {
  const { store, known, eventHooksAdmin } = options;
  const { createAdminApi } = await import('./admin/index.ts');
  const api = createAdminApi({
    store,
    known: [...known],
    ...(eventHooksAdmin === null ? {} : { eventHooksAdmin: new URL(eventHooksAdmin) }),
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
