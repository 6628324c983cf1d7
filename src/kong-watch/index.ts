export { KongWatch } from './watcher/kong-watch.ts';
export type { KongWatchOptions } from './watcher/kong-watch.ts';
export { createFront } from './front/front.ts';
export type { Front } from './front/front.ts';
export type { WatchInterest, WatchPort } from './port.ts';
