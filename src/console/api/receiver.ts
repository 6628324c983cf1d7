import { call, given } from './client.ts';
import type { Received } from './types.ts';

const path = '/event-hooks/receiver';

export const readReceiver = (signal?: AbortSignal): Promise<{ url: string; data: Received[] }> =>
  call('GET', path, given(signal));
export const clearReceiver = (): Promise<void> => call('DELETE', path);
