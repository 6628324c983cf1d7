export { eventHooks } from './hub.ts';
export { Interest } from './interest.ts';
export type { EventTransport } from './transport.ts';
export type { HookEvent } from '../model/event.ts';
