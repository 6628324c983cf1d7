export { EventHooks, eventHooks } from './client/hub.ts';
export type { EventData, EventHandle, HubStats, PublishOptions } from './client/hub.ts';
export type { EventTransport, TransportStats } from './client/transport.ts';
import type { Dispatcher } from './dispatcher/index.ts';
import type { DispatcherOptions } from './dispatcher/options.ts';
import type { z } from 'zod';
import type { HandlerKind } from './handlers/kind.ts';
import type { allKinds } from './handlers/kinds.ts';
import type { HookBase } from './model/hook.ts';
export type { HookEvent, EventDeclaration } from './model/event.ts';
import type { ConnectOptions } from './grpc/transport.ts';
import type { EventTransport } from './client/transport.ts';

type HookOfKind<Kind> =
  Kind extends HandlerKind<infer Name, infer Schema>
    ? HookBase & { handler: Name; config: z.output<Schema> }
    : never;
/** A hook as the Admin API shows it. */
export type Hook = HookOfKind<(typeof allKinds)[number]>;
export type { ConnectOptions, Dispatcher, DispatcherOptions };

/**
 * Starts a dispatcher in this process, for tests and for plugin servers without workers.
 * @throws KongTsError STORE_FAILED when the store's folder cannot be used
 */
export async function createDispatcher(options: DispatcherOptions = {}): Promise<Dispatcher> {
  return (await import('./dispatcher/index.ts')).createDispatcher(options);
}

/**
 * A transport to the dispatcher of this node, for `eventHooks.attachTransport`. Connects by itself, and again when the
 * dispatcher comes back. gRPC is loaded only here, so that a plugin without event hooks does not pay for it.
 * @throws KongTsError USAGE for an invalid address
 */
export async function connectEventHooks(options: ConnectOptions): Promise<EventTransport> {
  return (await import('./grpc/transport.ts')).connectEventHooks(options);
}
