import { HookInvalidError } from '../model/errors.ts';
import type { Violation } from '../model/errors.ts';
import type { DeliverySearch, DeliveryState } from '../store/types.ts';
import { query } from './endpoint.ts';
import { readTime } from './read-time.ts';

const states: readonly string[] = ['pending', 'waiting', 'delivered', 'dead'];
const longestText = 256;

/** What deliveries can be looked for by, in a query or in a body. */
export type Conditions = Pick<DeliverySearch, 'state' | 'since' | 'until' | 'source' | 'event' | 'text'>;

export const conditionNames: readonly string[] = ['state', 'since', 'until', 'source', 'event', 'text'];

/** The same in the OpenAPI document. */
export const conditionQuery = [
  query('state', 'pending, waiting, delivered or dead'),
  query('since', 'Events at or after it: seconds since the epoch or an ISO 8601 time.'),
  query('until', 'Events before it: seconds since the epoch or an ISO 8601 time.'),
  query('source', 'Events of this source.'),
  query('event', 'Events of this name.'),
  query(
    'text',
    `Letter by letter in the payload, the last error or the last response; at most ${String(longestText)} characters.`,
  ),
];

/** @throws HookInvalidError naming every condition that is wrong */
export function readConditions(from: Readonly<Record<string, unknown>>): Conditions {
  const violations: Violation[] = [];
  const text = (name: string, longest: number): string | undefined => {
    const value = from[name];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string' && value.length <= longest) return value;
    violations.push({ path: name, text: `expected a string of at most ${String(longest)} characters` });
    return undefined;
  };
  const found = {
    state: readState(from.state),
    since: readTime(from.since, 'since') ?? undefined,
    until: readTime(from.until, 'until') ?? undefined,
    source: text('source', longestText),
    event: text('event', longestText),
    text: text('text', longestText),
  };
  if (violations.length > 0) throw new HookInvalidError(violations);
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function readState(value: unknown): DeliveryState | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || !states.includes(value))
    throw new HookInvalidError([{ path: 'state', text: `expected one of: ${states.join(', ')}` }]);
  return value as DeliveryState;
}
