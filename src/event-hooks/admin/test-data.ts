import { HookInvalidError } from '../model/errors.ts';
import { maxDepth, shapeProblem } from '../model/event.ts';
import { isNestedDeeperThan } from '../model/exact-json.ts';
import { eventNameFor } from '../model/hook.ts';
import type { Hook } from '../model/hook.ts';
import type { Fields } from '../model/payload.ts';

/**
 * The posted fields with the event and source that the hook is for; a hook for every event takes the posted one.
 * @throws HookInvalidError where they nest too deep
 */
export function testData(hook: Hook, posted: Fields): Fields {
  if (isNestedDeeperThan(posted, maxDepth))
    throw new HookInvalidError([{ path: 'data', text: shapeProblem }]);
  const named = typeof posted.event === 'string' ? posted.event : 'test';
  return {
    ...posted,
    event: hook.event === null ? named : eventNameFor(hook, hook.event),
    source: hook.source,
  };
}
