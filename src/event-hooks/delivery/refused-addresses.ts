import { isIP } from 'node:net';
import type { Violation } from '../model/errors.ts';
import type { Address } from '../model/kind.ts';
import type { TargetGuard } from './target-guard.ts';

/**
 * The addresses that a hook can never be sent to. Names are judged at each connection, because a name may stand for
 * another address tomorrow.
 */
export function refusedAddresses(addresses: readonly Address[], guard: TargetGuard): Violation[] {
  return addresses.flatMap(({ path, host }) => {
    const bare = host.replace(/^\[|\]$/g, '');
    const refusal = isIP(bare) === 0 ? null : guard.refusal(bare);
    if (refusal === null) return [];
    const advice = guard.advice([bare]);
    const text = `this dispatcher refuses ${bare}, because it is ${refusal}`;
    return [{ path, text: advice === null ? text : `${text}. ${advice.replace(/\.$/, '')}` }];
  });
}
