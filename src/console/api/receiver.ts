import type { ReceiverAnswer } from '../../event-hooks/admin/answers.ts';
import { call, given } from './client.ts';

const path = '/event-hooks/receiver';

export const readReceiver = (signal?: AbortSignal): Promise<ReceiverAnswer> =>
  call('GET', path, given(signal));
export const clearReceiver = (): Promise<void> => call('DELETE', path);
