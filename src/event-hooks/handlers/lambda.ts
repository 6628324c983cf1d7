import { messageOf } from '../../base/errors.ts';
import { parseFields } from '../model/payload.ts';
import type { Violation } from '../model/errors.ts';
import { eventNameFor } from '../model/hook.ts';
import type { Hook, LambdaConfig } from '../model/hook.ts';
import { Mask } from '../model/mask.ts';
import { secretsOf } from '../model/secrets.ts';
import type { LambdaLimits } from './lambda-protocol.ts';
import { LambdaThread } from './lambda-thread.ts';
import type { HookHandler } from './types.ts';

/**
 * The handler `lambda`: runs the hook's Lua functions in their order, each `function (data, event, source, pid)`. The
 * first one that raises an error or returns something other than true fails the attempt.
 */
export function lambdaHandler(hook: Hook & { handler: 'lambda' }, limits: LambdaLimits): HookHandler {
  const thread = new LambdaThread(hook.config.functions, limits);
  const mask = new Mask(secretsOf(hook));
  const call = async (payload: Record<string, unknown>, event: unknown, source: unknown) => {
    const error = await thread.call(payload, event, source);
    return error === null ? null : mask.apply(error);
  };
  return {
    target: null,
    attempt: async (delivery) => {
      const event = eventNameFor(hook, delivery.event);
      const error = await call({ ...parseFields(delivery.payload), event }, event, delivery.source);
      return { ok: error === null, status: null, error, response: null };
    },
    test: async (payload) => {
      const error = await call(payload, payload.event, payload.source);
      return error === null ? true : { error };
    },
    close: () => thread.close(),
  };
}

/** Lua that does not parse, by field. */
export async function checkLambda(config: LambdaConfig): Promise<Violation[]> {
  const { checkLua } = await import('../../lua/index.ts');
  const violations: Violation[] = [];
  for (const [index, source] of config.functions.entries()) {
    try {
      await checkLua(source);
    } catch (error) {
      const path =
        config.functions.length === 1 ? 'config.functions' : `config.functions.${String(index + 1)}`;
      violations.push({ path, text: messageOf(error) });
    }
  }
  return violations;
}
