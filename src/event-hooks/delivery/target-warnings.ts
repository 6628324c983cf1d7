import { isIP } from 'node:net';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Address } from '../model/kind.ts';
import type { TargetGuard } from './target-guard.ts';

/** How long names are looked up for a warning, in milliseconds. */
const patienceMs = 1000;

/**
 * The names of targets that no delivery could go to now. A name may stand for another address tomorrow, so this is
 * worth a warning and no refusal.
 */
export async function targetWarnings(addresses: readonly Address[], guard: TargetGuard): Promise<string[]> {
  const names = addresses.filter(({ host }) => isIP(host.replace(/^\[|\]$/g, '')) === 0);
  const found = await Promise.all(names.map((address) => warningOf(address, guard)));
  return found.filter((warning) => warning !== null);
}

async function warningOf({ path, host }: Address, guard: TargetGuard): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, patienceMs, null);
  });
  const looked = guard.addresses(host).then(
    () => null,
    (error: unknown) =>
      KongTsError.is(error)
        ? `${path}: ${error.message}`
        : `${path}: the name ${host} cannot be resolved now (${messageOf(error)}). Deliveries fail until it can.`,
  );
  try {
    return await Promise.race([looked, late]);
  } finally {
    clearTimeout(timer);
  }
}
