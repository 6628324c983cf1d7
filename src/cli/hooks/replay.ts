import type { HooksApi } from './api.ts';

/** Replays in portions, with the count so far on standard error while a person is watching. */
export async function replay(
  api: HooksApi,
  id: string,
  options: { since?: string; dead?: boolean },
): Promise<void> {
  const path = id.includes('_')
    ? `/event-hooks/deliveries/${encodeURIComponent(id)}/replay`
    : `/event-hooks/${encodeURIComponent(id)}/replay`;
  const watching = process.stderr.isTTY && !api.json;
  let replayed = 0;
  let offset: string | null | undefined = null;
  do {
    const body = id.includes('_')
      ? {}
      : {
          size: 1000,
          ...(options.since === undefined ? {} : { since: options.since }),
          ...(options.dead === true ? { states: ['dead'] } : {}),
          ...(offset === null ? {} : { offset }),
        };
    const answer: { replayed: number; offset?: string | null } = await api.call('POST', path, body);
    replayed += answer.replayed;
    offset = answer.offset;
    if (watching) process.stderr.write(`\r${String(replayed)} queued again`);
  } while (offset != null);
  if (watching) process.stderr.write('\n');
  const word = replayed === 1 ? 'delivery' : 'deliveries';
  process.stdout.write(
    api.json ? `${JSON.stringify({ replayed })}\n` : `${String(replayed)} ${word} queued again.\n`,
  );
}
