import { createHash } from 'node:crypto';
import { maxDepth } from '../model/event.ts';
import type { HookEvent } from '../model/event.ts';
import { isDeeperThan } from '../../base/json-depth.ts';
import type { SourceRegistry } from '../sources/registry.ts';
import type { FiringRule, NewEvent } from '../store/types.ts';
import { firedName } from '../model/hook.ts';
import type { HookTable } from './matching.ts';
import { buildPayload, canonical, parseExactFields, valueAt } from '../model/payload.ts';
import type { Fields } from '../model/payload.ts';

/**
 * Finds the hooks that an event fires. The store decides about `on_change` and `snooze`, because it remembers. The data
 * is parsed once, if any hook names the source, and never serialized.
 * @returns null when no hook fires, `invalid` when the data is not a JSON object of at most {@link maxDepth} levels
 */
export function selectHooks(
  event: HookEvent,
  table: HookTable,
  sources: SourceRegistry,
  now: number,
): NewEvent | null | 'invalid' {
  const candidates = table.ofSource(event.source);
  if (candidates.length === 0) return null;
  let fields: Fields | null = null;
  const hooks: string[] = [];
  const rules: FiringRule[] = [];
  for (const { hook, filter, suppression } of candidates) {
    if (hook.event !== null && hook.event !== event.event && hook.source !== 'crud') continue;
    fields ??= isDeeperThan(event.data, maxDepth) ? null : parseExactFields(event.data);
    if (fields === null) return 'invalid';
    const name = firedName(hook, event.event, fields.operation);
    if (name === null) continue;
    if (filter !== null && !filter({ ...fields, source: event.source, event: name })) continue;
    hooks.push(hook.id);
    if (suppression === null) continue;
    rules.push({
      hook: hook.id,
      identity: digestOf(identity(event, fields, sources)),
      digest: suppression.onChange ? digestOf(`${event.event} ${canonical(fields)}`) : null,
      snoozeMs: suppression.snoozeMs,
      now,
    });
  }
  if (hooks.length === 0 || fields === null) return null;
  const { id, source, event: name, at } = event;
  const payload = buildPayload(event.data, source, name, fields);
  return { id, source, event: name, at, payload, hooks, ...(rules.length === 0 ? {} : { rules }) };
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64');

/**
 * The values of the event's unique fields. If its source declares none, nothing: then all events of the hook have one
 * identity.
 */
function identity(event: HookEvent, fields: Fields, sources: SourceRegistry): string {
  const unique = sources.find(event.source, event.event)?.unique;
  if (unique === undefined) return '';
  return `${event.event} ${canonical(unique.map((field) => valueAt(fields, field.split('.')) ?? null))}`;
}
