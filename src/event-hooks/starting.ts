import type { EventTransport } from './client/transport.ts';
import type { Dispatcher } from './dispatcher/dispatcher.ts';
import type { DispatcherOptions } from './dispatcher/options.ts';
import type { ConnectOptions } from './grpc/transport.ts';

/**
 * Starts a dispatcher in this process, for tests and for plugin servers without workers.
 * @throws KongTsError STORE_FAILED when the store's folder cannot be used
 */
export async function createDispatcher(options: DispatcherOptions = {}): Promise<Dispatcher> {
  return (await import('./dispatcher/dispatcher.ts')).createDispatcher(options);
}

/**
 * A transport to the dispatcher of this node, for `eventHooks.attachTransport`. Connects by itself, and again when the
 * dispatcher comes back. gRPC is loaded only here, so that a plugin without event hooks does not pay for it.
 * @throws KongTsError USAGE for an invalid address
 */
export async function connectEventHooks(options: ConnectOptions): Promise<EventTransport> {
  return (await import('./grpc/transport.ts')).connectEventHooks(options);
}
