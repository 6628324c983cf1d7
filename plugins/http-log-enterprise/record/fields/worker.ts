/** The thread in which the Lua of all configurations of a process runs. */
import type { LuaFunction } from 'kong-ts/lua';
import { checkLua, createLuaFunction, serveLuaThread } from 'kong-ts/lua';
import { luaLibrary } from '../lua-library.ts';
import { luaView } from '../lua-view.ts';
import type { FieldResult, FieldsJob, FieldsReply, LogLevel, OpenJob, RunItem, SetMode } from './protocol.ts';
import { toKongJson } from './kong-json.ts';

/** How long the Lua of one field may run per request, in milliseconds. */
const timeoutMs = 100;
const memoryBytes = 8 * 1024 * 1024;
/** nginx cuts a line of its log at 2 KiB. */
const maxLine = 2048;
const maxLines = 20;

interface FieldSet {
  readonly run: readonly LuaFunction[];
  item: RunItem;
  record: Record<string, unknown>;
}

/** The errors that are the source's own. */
const verdicts: unknown[] = ['LUA_INVALID', 'LUA_LIMIT'];
const modes = ['set', 'add', 'replace'];

serveLuaThread<null, FieldsJob, FieldsReply>(async () => {
  // Lua is loaded before the first job, whose time is watched.
  await checkLua('return');
  const sets = new Map<number, FieldSet>();
  let lines: { set: number; level: LogLevel; text: string }[] = [];

  const write = (set: number, level: LogLevel, text: string): void => {
    if (lines.filter((line) => line.set === set).length >= maxLines) return;
    lines.push({ set, level, text: Buffer.from(text.slice(0, maxLine), 'latin1').toString() });
  };

  async function open({ set, fields }: OpenJob, step: () => void): Promise<FieldsReply['problem']> {
    const run: LuaFunction[] = [];
    const empty: RunItem = { set, raw: '{}', fields: [], authorization: null };
    const state: FieldSet = { run, item: empty, record: {} };
    const globals = luaView({
      record: () => state.record,
      authorization: () => state.item.authorization,
      write: (level, text) => write(set, level, text),
      wall: () => Date.now(),
    });
    for (const [field, [, source]] of fields.entries()) {
      step();
      try {
        run.push(
          await createLuaFunction(source, {
            timeoutMs,
            memoryBytes,
            globals,
            library: luaLibrary,
            values: 'kong',
          }),
        );
      } catch (error) {
        for (const compiled of run) compiled.close();
        // Other errors, for want of memory, say nothing about the source.
        if (!verdicts.includes((error as { code?: unknown }).code)) throw error;
        return { field, message: error instanceof Error ? error.message : String(error) };
      }
    }
    sets.set(set, state);
    return null;
  }

  function compute(run: LuaFunction, field: number): FieldResult {
    try {
      const [value, options] = run.callAll();
      return { field, value: value === undefined ? null : toKongJson(value), mode: modeOf(options) };
    } catch (error) {
      const isLimit = (error as { code?: unknown }).code === 'LUA_LIMIT';
      return { field, error: error instanceof Error ? error.message : String(error), isLimit };
    }
  }

  function record(item: RunItem, step: () => void): FieldResult[] {
    const set = sets.get(item.set);
    if (set === undefined) return [];
    set.item = item;
    try {
      // Bytes stay bytes: Kong escapes nothing beyond ASCII.
      set.record = JSON.parse(item.raw) as Record<string, unknown>;
    } catch (error) {
      const message = `the record cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      return item.fields.map((field) => ({ field, error: message, isLimit: false }));
    }
    return item.fields.flatMap((field) => {
      const run = set.run[field];
      step();
      return run === undefined ? [] : [compute(run, field)];
    });
  }

  return async (job, step) => {
    lines = [];
    if (job.kind === 'open') return { problem: await open(job, step), results: [], lines };
    if (job.kind === 'run') {
      return { problem: null, results: job.items.map((item) => record(item, step)), lines };
    }
    for (const run of sets.get(job.set)?.run ?? []) run.close();
    sets.delete(job.set);
    return { problem: null, results: [], lines };
  };
});

/** The second value that a field's Lua returns is the third argument of kong.log.set_serialize_value. */
function modeOf(options: unknown): SetMode {
  if (options === undefined || options === false || options === null) return 'set';
  if (typeof options === 'number' || options === true) {
    throw new Error(`attempt to index local 'options' (a ${typeof options} value)`);
  }
  if (typeof options === 'string') return 'set';
  const { mode } = options as { mode?: unknown };
  if (mode === undefined || mode === false) return 'set';
  if (typeof mode !== 'string' || !modes.includes(mode)) {
    throw new Error("mode must be 'set', 'add' or 'replace'");
  }
  return mode as SetMode;
}
