import type { PluginLog } from 'kong-ts';
import type { Settings } from '../config/settings.ts';
import { Arena } from './arena.ts';
import type { CustomFields, FieldFailure } from './custom-fields.ts';
import { compileCustomFields } from './custom-fields.ts';
import { JsonObject } from './document.ts';
import { eventOf } from './facts.ts';
import type { Filter } from './filter.ts';
import { compileFilter } from './filter.ts';
import { numberPieces } from './numbers.ts';
import type { Redaction } from './redaction.ts';
import { compileRedaction } from './redaction.ts';
import type { RawText } from './text.ts';

/** Turns Kong's record into the bytes that are sent. */
export interface RecordPipeline {
  /** Whether `prepare` wants to be told the request's header authorization. */
  readonly wantsAuthorization: boolean;
  /**
   * The record's bytes, null if a filter leaves it out. A record is not parsed unless something has to look into it.
   * Custom fields are computed in a thread: with them it is a promise, which never rejects.
   *
   * @param authorization the header, where it is known: the record does not show it
   */
  prepare(raw: RawText, authorization?: RawText | null): Buffer | null | Promise<Buffer | null>;
  /** The data of the event hook, from the record as Kong gave it, without redacted values. */
  event(raw: RawText): Record<string, unknown>;
  close(): Promise<void>;
}

export interface PipelineOptions {
  readonly log: PluginLog;
  readonly wall: () => number;
  readonly random: () => number;
  readonly fieldFailed: (field: string, problem: unknown, kind: FieldFailure) => void;
}

class Pipeline implements RecordPipeline {
  readonly #arena = new Arena();
  readonly #filter: Filter | null;
  readonly #customFields: CustomFields | null;
  readonly #redaction: Redaction | null;

  constructor(filter: Filter | null, customFields: CustomFields | null, redaction: Redaction | null) {
    this.#filter = filter;
    this.#customFields = customFields;
    this.#redaction = redaction;
  }

  get wantsAuthorization(): boolean {
    return this.#customFields?.wantsAuthorization === true;
  }

  prepare(raw: RawText, authorization: RawText | null = null): Buffer | null | Promise<Buffer | null> {
    const customFields = this.#customFields;
    const filter = this.#filter;
    const redaction = this.#redaction;
    if (customFields === null && filter === null && redaction === null) return this.#write(raw);
    const record = new JsonObject(raw);
    if (filter !== null && !filter(record)) return null;
    if (customFields !== null) {
      return customFields.apply(record, authorization).then(() => this.#finish(record));
    }
    return redaction === null ? this.#write(raw) : this.#finish(record);
  }

  event(raw: RawText): Record<string, unknown> {
    const record = new JsonObject(raw);
    this.#redaction?.(record);
    return eventOf(record);
  }

  async close(): Promise<void> {
    await this.#customFields?.close();
  }

  #finish(record: JsonObject): Buffer {
    this.#redaction?.(record);
    return this.#write(record.toRaw());
  }

  #write(text: RawText): Buffer {
    return this.#arena.write(numberPieces(text));
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
