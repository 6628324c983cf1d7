import { isObject } from '../../../kong-end/index.ts';
import type { EntityPath, PlainObject } from '../../../kong-end/index.ts';

/** A consumer in a consumer group (Kong Enterprise). */
export interface Membership {
  readonly consumer: string;
  readonly group: string;
  readonly path: EntityPath;
}

/** Takes memberships out of a file: `groups` of a consumer and `consumers` of a consumer group, by name or id. */
export function takeMemberships(data: PlainObject): Membership[] {
  return [
    ...take(data, 'consumers', 'groups').map(([consumer, group, path]) => ({ consumer, group, path })),
    ...take(data, 'consumer_groups', 'consumers').map(([group, consumer, path]) => ({
      consumer,
      group,
      path,
    })),
  ];
}

function take(data: PlainObject, kind: string, field: string): [string, string, EntityPath][] {
  const list = Array.isArray(data[kind]) ? (data[kind] as unknown[]) : [];
  return list.flatMap((owner, index) => {
    const members = isObject(owner) ? owner[field] : undefined;
    if (!isObject(owner) || !Array.isArray(members)) return [];
    delete owner[field];
    return members.flatMap((member: unknown, at): [string, string, EntityPath][] => {
      const [one, other] = [keyOf(owner), keyOf(member)];
      return one === undefined || other === undefined ? [] : [[one, other, [kind, index, field, at]]];
    });
  });
}

function keyOf(value: unknown): string | undefined {
  if (!isObject(value)) return typeof value === 'string' ? value : undefined;
  return [value['username'], value['name'], value['id']].find((key) => typeof key === 'string');
}
