/** What plugins publish and emit with, and what starts a dispatcher (`kong-ts/event-hooks`). */
export { EventHooks, eventHooks } from './client/hub.ts';
export type { EventData, EventHandle, HubStats, PublishOptions } from './client/hub.ts';
export type { PublishedEvents } from './client/published.ts';
export type { EventTransport, TransportStats } from './client/transport.ts';
export type { Dispatcher } from './dispatcher/dispatcher.ts';
export type { DispatcherOptions } from './dispatcher/options.ts';
export type { ConnectOptions } from './grpc/transport.ts';
export type { Hook } from './handlers/any-hook.ts';
export type { EventDeclaration, HookEvent } from './model/event.ts';
export { connectEventHooks, createDispatcher } from './starting.ts';
