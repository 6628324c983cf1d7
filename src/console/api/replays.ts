import { call, given } from './client.ts';
import type { ReplayJob } from './types.ts';

/** Which deliveries are made again: those of a filter, or those named. */
export type ReplayRequest =
  | { readonly ids: readonly string[] }
  | {
      readonly event_hook?: { readonly id: string };
      readonly states?: readonly string[];
      readonly since?: string;
      readonly until?: string;
      readonly source?: string;
      readonly event?: string;
      readonly text?: string;
    };

const pathOf = (id: string): string => `/event-hooks/replays/${encodeURIComponent(id)}`;

/** Counts first. Nothing is replayed until the job is started. */
export const planReplay = (request: ReplayRequest): Promise<ReplayJob> =>
  call('POST', '/event-hooks/replays', { body: request });
export const readReplay = (id: string, signal?: AbortSignal): Promise<ReplayJob> =>
  call('GET', pathOf(id), given(signal));
export const startReplay = (id: string): Promise<ReplayJob> => call('POST', `${pathOf(id)}/start`);
export const stopReplay = (id: string): Promise<ReplayJob> => call('POST', `${pathOf(id)}/stop`);
export async function listReplays(signal?: AbortSignal): Promise<ReplayJob[]> {
  return (await call<{ data: ReplayJob[] }>('GET', '/event-hooks/replays', given(signal))).data;
}

/** Whether a job changes by itself. */
export const isMoving = ({ state }: ReplayJob): boolean => state === 'counting' || state === 'running';
