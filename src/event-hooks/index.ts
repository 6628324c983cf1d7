export { EventHooks, eventHooks } from './client/hub.ts';
export type { EventData, EventHandle, HubStats, PublishOptions } from './client/hub.ts';
export type { EventTransport, TransportStats } from './client/transport.ts';
export { createDispatcher } from './dispatcher/index.ts';
export type { Dispatcher } from './dispatcher/index.ts';
export type { DispatcherOptions } from './dispatcher/options.ts';
export type { Hook } from './model/hook.ts';
export type { HookEvent, EventDeclaration } from './model/event.ts';
