import type { Buffer } from 'node:buffer';
import type { Phase } from '../../pdk/names/index.ts';
import { eventIdIn, firstElements } from '../../wire/msgpack/index.ts';
import type { OpenRequest } from '../in-flight/open-requests.ts';

/** The longest text id that is sent back, in UTF-16 units. */
const maxIdText = 64;

/** The id of a message, even if the rest of it is missing, unreadable or of no known kind. Null if it has none. */
export function idIn(bytes: Buffer): number | bigint | string | null {
  const [kind, id] = firstElements(bytes, 2);
  // A notification has a name in this place.
  if (typeof kind !== 'number' || kind === 2) return null;
  if (typeof id === 'string') return id.length <= maxIdText ? id : null;
  return typeof id === 'number' || typeof id === 'bigint' ? id : null;
}

/**
 * What is noted of a request while its rest is still to come, see OpenRequests.
 * @param phaseOf the phase of an event that runs here, null for another one
 */
export function begunRequest(
  begun: Buffer,
  phaseOf: (eventId: number) => Phase | null,
): Omit<OpenRequest, 'ticket'> {
  const [, id, method] = firstElements(begun, 3);
  const eventId = eventIdIn(begun) ?? 0;
  const phase = method === 'plugin.StartInstance' ? 'start' : phaseOf(eventId);
  return { id: typeof id === 'number' ? id : 0, eventId: phase === null ? 0 : eventId, phase };
}
