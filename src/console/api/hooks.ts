import type { RotatedAnswer } from '../../event-hooks/admin/answers.ts';
import { call, checkedJson, given } from './client.ts';
import type { History, Hook, HookHistory, Page, Sources, TestResult } from './types.ts';

const pathOf = (id: string): string => `/event-hooks/${encodeURIComponent(id)}`;

/** Every hook, page by page. */
export async function listHooks(signal?: AbortSignal): Promise<Hook[]> {
  const all: Hook[] = [];
  let offset: string | undefined;
  do {
    const page: Page<Hook> = await call('GET', '/event-hooks', {
      query: { size: 1000, offset },
      ...given(signal),
    });
    all.push(...page.data);
    offset = page.next === null ? undefined : page.offset;
  } while (offset !== undefined);
  return all;
}

export const readHook = (id: string, signal?: AbortSignal): Promise<Hook> =>
  call('GET', pathOf(id), given(signal));

/** What hooks did in the last hours. @param hook one of them only */
export const readHistory = (hours: number, hook: string | null, signal?: AbortSignal): Promise<History> =>
  call('GET', '/event-hooks/history', { query: { hours, hook }, ...given(signal) });

export const historyOf = ({ data }: History, id: string): HookHistory | null =>
  data.find(({ event_hook }) => event_hook.id === id) ?? null;

export const createHook = (hook: unknown): Promise<Hook> => call('POST', '/event-hooks', { body: hook });
export const patchHook = (id: string, change: unknown): Promise<Hook> =>
  call('PATCH', pathOf(id), { body: change });
export const deleteHook = (id: string): Promise<void> => call('DELETE', pathOf(id));
export const pingHook = (id: string): Promise<unknown> => call('GET', `${pathOf(id)}/ping`);
/** @param secret '': one is made. @param overlap for so many seconds the old one signs, too */
export const rotateSecret = (id: string, secret: string, overlap: number): Promise<RotatedAnswer> =>
  call('POST', `${pathOf(id)}/rotate-secret`, {
    body: { ...(secret === '' ? {} : { secret }), overlap_seconds: overlap },
  });
/** @param fields as the text of JSON, which goes out as it stands: its numbers keep their digits */
export async function testHook(id: string, fields: string): Promise<TestResult> {
  return await call('POST', `${pathOf(id)}/test`, { text: checkedJson(fields) });
}

export async function listSources(signal?: AbortSignal): Promise<Sources> {
  return (await call<{ data: Sources }>('GET', '/event-hooks/sources', given(signal))).data;
}
