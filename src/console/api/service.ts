import { call, given } from './client.ts';
import type { PluginsAnswer, StoreAnswer } from './types.ts';

export const readPlugins = (signal?: AbortSignal): Promise<PluginsAnswer> =>
  call('GET', '/event-hooks/plugins', given(signal));
export const readStore = (signal?: AbortSignal): Promise<StoreAnswer> =>
  call('GET', '/event-hooks/store', given(signal));
