import type { SpoolOptions, SpoolToken } from '../../../../plugins/http-log-enterprise/spool/options.ts';
import type { Spool } from '../../../../plugins/http-log-enterprise/spool/spool.ts';
import { openSpool } from '../../../../plugins/http-log-enterprise/spool/spool.ts';
import { ManualClock } from './manual-clock.ts';

export interface Opened {
  spool: Spool;
  clock: ManualClock;
  loaded: { text: string; token: SpoolToken }[];
  problems: string[];
  lost: number;
  losses: { records: number; reason: string; detail: string }[];
  /** How many records the queue takes. */
  room: number;
}

/** A spool whose queue is a list. */
export async function openSpoolAt(directory: string, options: Partial<SpoolOptions> = {}): Promise<Opened> {
  const clock = options.clock instanceof ManualClock ? options.clock : new ManualClock();
  const opened = {
    clock,
    loaded: [],
    problems: [],
    lost: 0,
    losses: [],
    room: Infinity,
  } as unknown as Opened;
  opened.spool = await openSpool({
    directory,
    clock,
    fsync: 'never',
    maxBytes: 1_000_000,
    maxAgeMs: 86_400_000,
    hasRoom: () => opened.loaded.length < opened.room,
    loaded: (bytes, token) => opened.loaded.push({ text: bytes.toString(), token }),
    recovered: () => undefined,
    lost: (records, reason, detail) => {
      opened.lost += records;
      opened.losses.push({ records, reason, detail });
    },
    failed: (problem) => opened.problems.push(problem),
    ...options,
  });
  return opened;
}

export async function append(spool: Spool, text: string, onDiskOnly = false): Promise<SpoolToken | null> {
  const token = await spool.append(Buffer.from(text), onDiskOnly);
  return typeof token === 'string' ? null : token;
}
