import { notOurs } from './answer.ts';
import type { HooksApi } from './api.ts';

const portion = 1000;

/** Replays in portions, with the count so far on standard error: in place on a terminal, else a line per portion. */
export async function replay(
  api: HooksApi,
  id: string,
  options: { since?: string; dead?: boolean },
): Promise<void> {
  const path = id.includes('_')
    ? `/event-hooks/deliveries/${encodeURIComponent(id)}/replay`
    : `/event-hooks/${encodeURIComponent(id)}/replay`;
  const terminal = process.stderr.isTTY;
  const progress = (more: boolean): void => {
    if (api.json || (replayed <= portion && !more)) return;
    process.stderr.write(
      `${terminal ? '\r' : ''}${String(replayed)} queued again${terminal && more ? '' : '\n'}`,
    );
  };
  let replayed = 0;
  let offset: string | null | undefined = null;
  do {
    const body: Record<string, unknown> = id.includes('_')
      ? {}
      : {
          size: portion,
          ...(options.since === undefined ? {} : { since: options.since }),
          ...(options.dead === true ? { states: ['dead'] } : {}),
          ...(offset === null ? {} : { offset }),
        };
    const answer: { replayed: number; offset?: string | null } | null = await api.call('POST', path, body);
    if (typeof answer?.replayed !== 'number') throw notOurs(api.base, 'it does not say how many there were');
    replayed += answer.replayed;
    if (answer.offset != null && answer.offset === offset) throw notOurs(api.base, 'its portions do not end');
    offset = answer.offset;
    progress(offset != null);
  } while (offset != null);
  const word = replayed === 1 ? 'delivery' : 'deliveries';
  process.stdout.write(
    api.json ? `${JSON.stringify({ replayed })}\n` : `${String(replayed)} ${word} queued again.\n`,
  );
}
