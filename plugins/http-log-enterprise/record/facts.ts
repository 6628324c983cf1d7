import type { JsonObject } from './document.ts';

/** Reads the facts about a record that filters and event hooks need. */
export function statusOf(record: JsonObject): number | null {
  const status = record.object('response')?.value('status') ?? record.object('session')?.value('status');
  return typeof status === 'number' ? status : null;
}

/** All names of an entity of the record. Empty if the record has no such entity. */
export function namesOf(record: JsonObject, entity: 'route' | 'service' | 'consumer'): string[] {
  const node = record.object(entity);
  if (node === null) return [];
  return ['id', 'name', 'username', 'custom_id']
    .map((key) => node.value(key))
    .filter((name): name is string => typeof name === 'string');
}

/** The data of the event hook `http-log-enterprise` / `log`: `{}` where the request has no such entity. */
export function eventOf(record: JsonObject): Record<string, unknown> {
  return {
    consumer: record.value('consumer') ?? {},
    ip: record.value('client_ip') ?? {},
    service: record.value('service') ?? {},
    route: record.value('route') ?? {},
  };
}
