import { messageOf } from '../../errors.ts';
import { checkLua, createLuaFunction } from '../../lua/index.ts';
import type { LuaFunction } from '../../lua/index.ts';
import { parseFields } from '../dispatcher/payload.ts';
import type { Fields } from '../dispatcher/payload.ts';
import type { Violation } from '../model/errors.ts';
import { eventNameFor } from '../model/hook.ts';
import type { Hook, LambdaConfig } from '../model/hook.ts';
import type { HookHandler } from './types.ts';

export interface LambdaLimits {
  /** Per function and call. */
  timeoutMs: number;
  /** Per function. */
  memoryBytes: number;
}

/**
 * The handler `lambda`: runs the hook's Lua functions in their order, each `function (data, event, source, pid)`. The
 * first one that raises an error or returns something other than true fails the attempt.
 */
export function lambdaHandler(hook: Hook & { handler: 'lambda' }, limits: LambdaLimits): HookHandler {
  let functions: Promise<LuaFunction[]> | null = null;
  const load = (): Promise<LuaFunction[]> =>
    (functions ??= Promise.all(hook.config.functions.map((source) => createLuaFunction(source, limits))));
  const run = async (payload: Fields, event: unknown, source: unknown): Promise<string | null> => {
    const loaded = await load();
    for (const [index, one] of loaded.entries()) {
      const which = `function ${String(index + 1)}`;
      try {
        const result = one.call(payload, event, source, process.pid);
        if (result !== true) return `${which} returned ${messageOf(result ?? 'nil')} instead of true`;
      } catch (error) {
        return `${which}: ${messageOf(error)}`;
      }
    }
    return null;
  };
  const guarded = (payload: Fields, event: unknown, source: unknown): Promise<string | null> =>
    run(payload, event, source).catch((error: unknown) => messageOf(error));
  return {
    target: null,
    attempt: async (delivery) => {
      const event = eventNameFor(hook, delivery.event);
      const payload = { ...parseFields(delivery.payload), event };
      const error = await guarded(payload, event, delivery.source);
      return { ok: error === null, status: null, error, response: null };
    },
    test: async (payload) => {
      const error = await guarded(payload, payload.event, payload.source);
      return error === null ? true : { error };
    },
    close: async () => {
      for (const one of (await functions?.catch(() => [])) ?? []) one.close();
    },
  };
}

/** Lua that does not parse. */
export async function checkLambda(config: LambdaConfig): Promise<Violation[]> {
  const problems = await Promise.all(
    config.functions.map(async (source) => {
      try {
        await checkLua(source);
        return null;
      } catch (error) {
        return messageOf(error);
      }
    }),
  );
  return problems.flatMap((text, index) =>
    text === null
      ? []
      : [
          {
            path:
              config.functions.length === 1 ? 'config.functions' : `config.functions.${String(index + 1)}`,
            text,
          },
        ],
  );
}
