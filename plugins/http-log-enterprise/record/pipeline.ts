import type { PluginLog } from 'kong-ts';
import type { Settings } from '../config/settings.ts';
import { Arena } from './arena.ts';
import { type CustomFields, compileCustomFields, type FieldFailure } from './custom-fields.ts';
import { JsonObject } from './document.ts';
import { eventOf } from './facts.ts';
import { type Filter, compileFilter } from './filter.ts';
import { numberPieces } from './numbers.ts';
import { type Redaction, compileRedaction } from './redaction.ts';
import type { RawText } from './text.ts';

/** What turns Kong's record into the bytes that are sent. */
export interface RecordPipeline {
  /** The record's bytes, null when a filter leaves it out. A record that nothing has to look into is not parsed. */
  prepare(raw: RawText): Buffer | null;
  /** The data of the event hook: of the record as Kong gave it, without what redaction removes. */
  event(raw: RawText): Record<string, unknown>;
  close(): void;
}

export interface PipelineOptions {
  readonly log: PluginLog;
  readonly wall: () => number;
  readonly random: () => number;
  readonly fieldFailed: (field: string, problem: unknown, kind: FieldFailure) => void;
}

class Pipeline implements RecordPipeline {
  private readonly arena = new Arena();
  private readonly filter: Filter | null;
  private readonly customFields: CustomFields | null;
  private readonly redaction: Redaction | null;

  constructor(filter: Filter | null, customFields: CustomFields | null, redaction: Redaction | null) {
    this.filter = filter;
    this.customFields = customFields;
    this.redaction = redaction;
  }

  prepare(raw: RawText): Buffer | null {
    const edits = this.customFields !== null || this.redaction !== null;
    let text = raw;
    if (edits || this.filter !== null) {
      const record = new JsonObject(raw);
      if (this.filter !== null && !this.filter(record)) return null;
      this.customFields?.apply(record);
      this.redaction?.(record);
      if (edits) text = record.toRaw();
    }
    return this.arena.write(numberPieces(text));
  }

  event(raw: RawText): Record<string, unknown> {
    const record = new JsonObject(raw);
    this.redaction?.(record);
    return eventOf(record);
  }

  close(): void {
    this.customFields?.close();
  }
}

/** @throws KongTsError CONFIG_INVALID for a custom field that does not parse */
export async function createPipeline(settings: Settings, options: PipelineOptions): Promise<RecordPipeline> {
  return new Pipeline(
    compileFilter(settings.filter, options.random),
    await compileCustomFields(settings.customFields, options.log, options.wall, options.fieldFailed),
    compileRedaction(settings.redaction),
  );
}
