import { z } from 'zod';
import { messageOf } from '../../base/errors.ts';
import { parseFields } from '../model/payload.ts';
import type { Violation } from '../model/errors.ts';
import { eventNameFor } from '../model/hook.ts';
import { luaSecrets } from '../model/secrets.ts';
import { text } from './http-fields.ts';
import { defineKind } from './kind.ts';
import { LambdaThread } from './lambda-thread.ts';

const config = z.strictObject({
  functions: z.array(text).min(1, 'length must be at least 1').max(32, 'length must be at most 32'),
});

/**
 * The handler `lambda`: runs the hook's Lua functions in their order, each `function (data, event, source, pid)`. The
 * first one that raises an error or returns something other than true fails the attempt.
 */
export const lambda = defineKind({
  name: 'lambda',
  config,
  secrets: { functions: luaSecrets },
  addresses: () => [],
  check: checkLambda,
  pings: false,
  create: (hook, context) => {
    const thread = new LambdaThread(hook.config.functions, context.lambda);
    return {
      target: null,
      attempt: async ({ payload, event, source }) => {
        const name = eventNameFor(hook, event);
        const error = await thread.call({ ...parseFields(payload), event: name }, name, source);
        return { ok: error === null, status: null, error, response: null };
      },
      test: async (payload) => {
        // Lua's numbers are doubles: as in an attempt.
        const fields = parseFields(JSON.stringify(payload)) ?? {};
        const error = await thread.call(fields, payload.event, payload.source);
        return error === null ? true : { error };
      },
      close: () => thread.close(),
    };
  },
});

/** Lua that does not parse, by field. */
async function checkLambda({ functions }: z.output<typeof config>): Promise<Violation[]> {
  const { checkLua } = await import('../../lua/index.ts');
  const violations: Violation[] = [];
  for (const [index, source] of functions.entries()) {
    try {
      await checkLua(source);
    } catch (error) {
      const path = functions.length === 1 ? 'config.functions' : `config.functions.${String(index + 1)}`;
      violations.push({ path, text: messageOf(error) });
    }
  }
  return violations;
}
