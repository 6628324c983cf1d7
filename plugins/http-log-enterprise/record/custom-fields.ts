import { KongTsError, type PluginLog } from 'kong-ts';
import type { LuaFunction } from 'kong-ts/lua';
import type { JsonObject } from './document.ts';
import { parseRaw } from './json.ts';
import { luaView } from './lua-view.ts';
import { setPath } from './set-path.ts';

/** How long the Lua of one field may run per request, in milliseconds. */
const timeLimit = 100;
const memoryLimit = 8 * 1024 * 1024;

export interface CustomFields {
  /** Computes all fields from the record as Kong gave it, then sets them. A field that fails stays as it was. */
  apply(record: JsonObject): void;
  close(): void;
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
  failed: (field: string, problem: unknown) => void,
): Promise<CustomFields | null> {
  if (sources.length === 0) return null;
  const { createLuaFunction } = await import('kong-ts/lua');
  let parsed: Record<string, unknown> = {};
  const globals = luaView(() => parsed, { write: (level, text) => log[level](text) }, wall);
  const fields: (readonly [string, LuaFunction])[] = [];
  for (const [name, source] of sources) {
    const options = { timeoutMs: timeLimit, memoryBytes: memoryLimit, globals };
    const run = await createLuaFunction(source, options).catch((cause: unknown) => {
      for (const [, compiled] of fields) compiled.close();
      throw invalid(name, cause);
    });
    fields.push([name, run]);
  }
  return {
    apply(record) {
      parsed = parseRaw(record.toRaw()) as Record<string, unknown>;
      for (const [name, run] of fields) {
        try {
          setPath(record, name, run.call());
        } catch (error) {
          failed(name, error);
        }
      }
    },
    close: () => fields.forEach(([, run]) => run.close()),
  };
}
