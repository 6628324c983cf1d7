import type { Kong } from 'kong-ts';
import type { Recorder } from './metrics.ts';
import type { Turns } from './queue/turns.ts';
import { authorizationOf, lastRecord } from './record/last-record.ts';
import type { RecordPipeline } from './record/pipeline.ts';
import type { RawText } from './record/text.ts';
import { toRaw } from './record/text.ts';
import type { Reports } from './reports.ts';

export interface ArrivalsOptions {
  readonly pipeline: RecordPipeline;
  readonly reports: Reports;
  readonly recorder: Recorder;
  /** Keeps the order of the log events, null if no order is promised. */
  readonly turns: Turns | null;
  /** Whether the log event may be over for Kong before the record has come: it is kept in memory only. */
  readonly isLast: boolean;
  /** Offers the event hook its data. */
  readonly emit: (event: () => Record<string, unknown>) => void;
  /** Resolves when the record is in a safe place; null if it is already. */
  readonly accept: (bytes: Buffer) => Promise<void> | null;
}

/** The work of a log event: it asks for the record, looks at it and hands it on. */
export class Arrivals {
  readonly #options: ArrivalsOptions;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Resolves when the event may end for Kong. A record that Kong does not give is counted and reported. */
  async take(kong: Kong<'log', 'protobuf'>): Promise<void> {
    const { turns, accept } = this.#options;
    const turn = turns?.take() ?? null;
    let accepted: Promise<void> | null = null;
    try {
      const bytes = await this.#read(kong);
      if (turn !== null) await turn.come;
      if (bytes !== null) accepted = accept(bytes);
    } finally {
      turn?.end();
    }
    if (accepted !== null) await accepted;
  }

  /** The bytes to send, null when the filter leaves the record out or Kong does not give it. */
  async #read(kong: Kong<'log', 'protobuf'>): Promise<Buffer | null> {
    const { pipeline, recorder, emit } = this.#options;
    const authorization = pipeline.wantsAuthorization ? await authorizationOf(kong) : null;
    const raw = await this.#ask(kong);
    if (raw === null) return null;
    recorder.received();
    emit(() => pipeline.event(raw));
    const prepared = pipeline.prepare(raw, authorization);
    const bytes = prepared instanceof Promise ? await prepared : prepared;
    if (bytes === null) recorder.filtered();
    return bytes;
  }

  async #ask(kong: Kong<'log', 'protobuf'>): Promise<RawText | null> {
    const { isLast, recorder, reports } = this.#options;
    try {
      return toRaw(await (isLast ? lastRecord(kong) : kong.log.serializeRaw()));
    } catch (error) {
      recorder.unreceived(1);
      const reason = error instanceof Error ? error.message : String(error);
      reports.write('error', 'unreceived', `Kong did not give the record of a request: ${reason}`, 1);
      return null;
    }
  }
}
