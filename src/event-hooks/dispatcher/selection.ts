import type { HookEvent } from '../model/event.ts';
import type { SourceRegistry } from '../sources/registry.ts';
import type { NewEvent } from '../store/types.ts';
import { firedName } from './matching.ts';
import type { CompiledHook, HookTable } from './matching.ts';
import { buildPayload, canonical, parseFields, valueAt } from './payload.ts';
import type { Fields } from './payload.ts';
import type { Suppression } from './suppression.ts';

/** Told about every decision; for metrics. */
export interface SelectionObserver {
  fired(hook: CompiledHook['hook']): void;
  suppressed(hook: CompiledHook['hook']): void;
}

/** An event that fires, with the suppression keys that have to be forgotten should it not be stored. */
export interface Selected {
  event: NewEvent;
  keys: string[];
}

/**
 * Decides which hooks an event fires. The data is parsed once, where any hook names the source, and never serialized.
 * @returns null when no hook fires, `invalid` when the data is not a JSON object
 */
export function selectHooks(
  event: HookEvent,
  table: HookTable,
  sources: SourceRegistry,
  suppression: Suppression,
  observer: SelectionObserver,
  now: number,
): Selected | null | 'invalid' {
  const candidates = table.ofSource(event.source);
  if (candidates.length === 0) return null;
  let fields: Fields | null = null;
  const hooks: string[] = [];
  const keys: string[] = [];
  for (const candidate of candidates) {
    const { hook, filter, suppression: rule } = candidate;
    if (hook.event !== null && hook.event !== event.event && hook.source !== 'crud') continue;
    fields ??= parseFields(event.data);
    if (fields === null) return 'invalid';
    if (firedName(hook, event.event, fields.operation) === null) continue;
    if (filter !== null && !filter({ ...fields, source: event.source, event: event.event })) continue;
    if (rule !== null) {
      const key = `${hook.id} ${identity(event, fields, sources)}`;
      const payload = rule.onChange ? `${event.event} ${canonical(fields)}` : '';
      if (!suppression.fires(key, payload, rule, now)) {
        observer.suppressed(hook);
        continue;
      }
      keys.push(key);
    }
    observer.fired(hook);
    hooks.push(hook.id);
  }
  if (hooks.length === 0 || fields === null) return null;
  const payload = buildPayload(event.data, event.source, event.event, fields);
  return {
    event: { id: event.id, source: event.source, event: event.event, at: event.at, payload, hooks },
    keys,
  };
}

/** The values of the event's unique fields; nothing, where its source declares none: then the hook is the identity. */
function identity(event: HookEvent, fields: Fields, sources: SourceRegistry): string {
  const unique = sources.find(event.source, event.event)?.unique;
  if (unique === undefined) return '';
  return `${event.event} ${canonical(unique.map((field) => valueAt(fields, field.split('.')) ?? null))}`;
}
