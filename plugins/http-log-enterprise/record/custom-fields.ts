import type { PluginLog } from 'kong-ts';
import { KongTsError } from 'kong-ts';
import type { JsonObject } from './document.ts';
import type { FieldResult } from './fields/protocol.ts';
import type { Client, FieldService } from './fields/service.ts';
import { setPath } from './set-path.ts';
import type { RawText } from './text.ts';

/** A field that exceeds its limits so often in a row is switched off, because the fields of others wait meanwhile. */
const strikes = 3;
/** For how long, in milliseconds; then it may try again, once. */
const switchedOffMs = 60_000;

/** `off`: the field is switched off for a while. */
export type FieldFailure = 'failed' | 'off';

export interface CustomFields {
  /** Whether the Lua wants the header authorization, which Kong redacts in the record. */
  readonly wantsAuthorization: boolean;
  /**
   * Computes all fields from the record as Kong gave it, then sets them. A field that fails stays as it was. Never
   * rejects.
   */
  apply(record: JsonObject, authorization: RawText | null): Promise<void>;
  close(): Promise<void>;
}

type Failed = (field: string, problem: unknown, kind: FieldFailure) => void;

const invalid = (name: string, message: string): KongTsError =>
  new KongTsError(
    'CONFIG_INVALID',
    `config.custom_fields_by_lua.${name}: Error parsing function: ${message}`,
  );

const tooMuch = 'too many records wait for their fields to be computed';

/** One thread for the Lua of all configurations of this process. */
let shared: Promise<FieldService> | null = null;
let sets = 0;

async function startService(): Promise<FieldService> {
  const { LuaThread } = await import('kong-ts/lua');
  const { FieldService: Service, stuckMs } = await import('./fields/service.ts');
  return new Service(new LuaThread({ entry: new URL('./fields/worker.ts', import.meta.url), stuckMs }));
}

class LuaFields implements CustomFields {
  readonly wantsAuthorization: boolean;
  readonly #names: readonly string[];
  readonly #service: FieldService;
  readonly #client: Client;
  readonly #wall: () => number;
  readonly #failed: Failed;
  /** How often in a row each field has exceeded its limits. */
  readonly #overruns: number[];
  /** When each may run again, in milliseconds since 1970. */
  readonly #offUntil: number[];

  constructor(service: FieldService, client: Client, wall: () => number, failed: Failed) {
    this.#service = service;
    this.#client = client;
    this.#wall = wall;
    this.#failed = failed;
    this.#names = client.open.fields.map(([name]) => name);
    this.#overruns = this.#names.map(() => 0);
    this.#offUntil = this.#names.map(() => -Infinity);
    this.wantsAuthorization = client.open.fields.some(([, source]) =>
      /authorization|get_headers/i.test(source),
    );
  }

  async apply(record: JsonObject, authorization: RawText | null): Promise<void> {
    const now = this.#wall();
    const fields = this.#names
      .map((_, field) => field)
      .filter((field) => now >= (this.#offUntil[field] ?? 0));
    if (fields.length === 0) return;
    const { set } = this.#client.open;
    const answer = this.#service.compute(this.#client, { set, raw: record.toRaw(), fields, authorization });
    if (answer === null) {
      for (const field of fields) this.#failed(this.#names[field] ?? '', new Error(tooMuch), 'failed');
      return;
    }
    for (const result of await answer) this.#take(record, result);
  }

  async close(): Promise<void> {
    await this.#service.remove(this.#client);
  }

  #take(record: JsonObject, result: FieldResult): void {
    const { field } = result;
    const name = this.#names[field] ?? '';
    if ('error' in result) {
      this.#failed(name, result.error, 'failed');
      this.#count(field, result.isLimit, result.error);
      return;
    }
    this.#count(field, false, null);
    try {
      setPath(record, name, result.value, result.mode);
    } catch (error) {
      this.#failed(name, error, 'failed');
    }
  }

  #count(field: number, isLimit: boolean, problem: unknown): void {
    const overruns = isLimit ? (this.#overruns[field] ?? 0) + 1 : 0;
    this.#overruns[field] = overruns;
    if (overruns < strikes || this.#wall() < (this.#offUntil[field] ?? 0)) return;
    this.#offUntil[field] = this.#wall() + switchedOffMs;
    this.#failed(this.#names[field] ?? '', problem, 'off');
  }
}

/**
 * Compiles `custom_fields_by_lua`; null without any. The Lua runs in a thread of its own, one for all configurations of
 * the process: whatever it does, nobody else waits for it.
 *
 * @param failed told about a field whose Lua failed; the record is sent without it (Kong's http-log loses the record)
 * @throws KongTsError CONFIG_INVALID naming the field whose Lua does not compile in Kong
 */
export async function compileCustomFields(
  sources: readonly (readonly [string, string])[],
  log: PluginLog,
  wall: () => number,
  failed: Failed,
): Promise<CustomFields | null> {
  if (sources.length === 0) return null;
  shared ??= startService();
  const service = await shared.catch((error: unknown) => {
    shared = null;
    throw error;
  });
  const client: Client = {
    open: { kind: 'open', set: ++sets, fields: sources },
    write: (level, text) => log[level](text),
    isOpen: false,
  };
  const problem = await service.add(client);
  if (problem !== null) {
    await service.remove(client);
    throw invalid(sources[problem.field]?.[0] ?? '', problem.message);
  }
  return new LuaFields(service, client, wall, failed);
}
