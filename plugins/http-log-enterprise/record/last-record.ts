import type { Kong } from 'kong-ts';
import type { RawText } from './text.ts';
import { toRaw } from './text.ts';

/**
 * The record of the request for a handler that calls nothing of `kong` after it: over ProtoBuf:1 the end of the event
 * then leaves in the same write. Kong hears that the event is over before the record has been seen, so this is not for
 * records that have to be on disk by then.
 */
export function lastRecord(kong: Kong<'log', 'protobuf'>): Promise<string> {
  return kong.log.serializeRaw({ last: true });
}

/**
 * The request's header authorization, which Kong keeps for the log phase of a plugin server but redacts in the record;
 * null without one, or where Kong does not say.
 */
export async function authorizationOf(kong: Kong<'log', 'protobuf'>): Promise<RawText | null> {
  try {
    const value: unknown = await kong.request.getHeader('authorization');
    return typeof value === 'string' ? toRaw(value) : null;
  } catch {
    return null;
  }
}
