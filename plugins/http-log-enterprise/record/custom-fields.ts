import { KongTsError, type PluginLog } from 'kong-ts';
import type { LuaFunction } from 'kong-ts/lua';
import type { JsonObject } from './document.ts';
import { parseRaw } from './json.ts';
import { luaView } from './lua-view.ts';
import { setPath } from './set-path.ts';

/** How long the Lua of one field may run per request, in milliseconds. */
const timeLimit = 100;
const memoryLimit = 8 * 1024 * 1024;
/** A field that exceeds its limits so often in a row is switched off, because everybody else waits meanwhile. */
const strikes = 3;
/** For how long, in milliseconds; then it may try again, once. */
const switchedOff = 60_000;

/** `off`: the field is switched off for a while. */
export type FieldFailure = 'failed' | 'off';

export interface CustomFields {
  /** Computes all fields from the record as Kong gave it, then sets them. A field that fails stays as it was. */
  apply(record: JsonObject): void;
  close(): void;
}

interface Field {
  readonly name: string;
  readonly run: LuaFunction;
  /** How often in a row it has exceeded its limits. */
  overruns: number;
  /** When it may run again, in milliseconds since 1970. */
  offUntil: number;
}

const invalid = (name: string, cause: unknown): KongTsError =>
  new KongTsError(
    'CONFIG_INVALID',
    `config.custom_fields_by_lua.${name}: Error parsing function: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );

/**
 * Compiles `custom_fields_by_lua`; null without any.
 *
 * @param failed told about a field whose Lua failed; the record is sent without it (Kong's http-log loses the record)
 * @throws KongTsError CONFIG_INVALID naming the field whose Lua does not parse
 */
export async function compileCustomFields(
  sources: readonly (readonly [string, string])[],
  log: PluginLog,
  wall: () => number,
  failed: (field: string, problem: unknown, kind: FieldFailure) => void,
): Promise<CustomFields | null> {
  if (sources.length === 0) return null;
  const { createLuaFunction } = await import('kong-ts/lua');
  let parsed: Record<string, unknown> = {};
  const globals = luaView(() => parsed, { write: (level, text) => log[level](text) }, wall);
  const fields: Field[] = [];
  for (const [name, source] of sources) {
    const options = { timeoutMs: timeLimit, memoryBytes: memoryLimit, globals };
    const run = await createLuaFunction(source, options).catch((cause: unknown) => {
      for (const compiled of fields) compiled.run.close();
      throw invalid(name, cause);
    });
    fields.push({ name, run, overruns: 0, offUntil: -Infinity });
  }
  return {
    apply(record) {
      parsed = parseRaw(record.toRaw()) as Record<string, unknown>;
      for (const field of fields) {
        if (wall() < field.offUntil) continue;
        try {
          setPath(record, field.name, field.run.call());
          field.overruns = 0;
        } catch (error) {
          failed(field.name, error, 'failed');
          field.overruns = KongTsError.is(error) && error.code === 'LUA_LIMIT' ? field.overruns + 1 : 0;
          if (field.overruns < strikes) continue;
          field.offUntil = wall() + switchedOff;
          failed(field.name, error, 'off');
        }
      }
    },
    close: () => fields.forEach(({ run }) => run.close()),
  };
}
