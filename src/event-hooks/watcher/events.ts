import type { HookEvent } from '../model/event.ts';
import { changeId, type Change } from './changes.ts';
import { withoutSecrets } from './redact.ts';

/** Which events somebody listens to. */
export type Wants = (source: string, event: string) => boolean;

/** Whether any hook would hear of a change of this kind. */
export function wantsKind(wants: Wants, schema: string): boolean {
  return (
    wants('crud', schema) ||
    (['create', 'update', 'delete'] as const).some((operation) => wants('dao:crud', operation))
  );
}

/** The events of a change: one of `crud`, named after the kind, and one of `dao:crud`, named after the operation. */
export function eventsOf(
  change: Change,
  wants: Wants,
  options: { origin: string; secrets: boolean; now: number },
): HookEvent[] {
  const clean = (entity: Record<string, unknown>): Record<string, unknown> =>
    options.secrets ? entity : withoutSecrets(change.schema, entity);
  let data: string | null = null;
  const make = (source: string, event: string): HookEvent => {
    data ??= JSON.stringify({
      operation: change.operation,
      entity: clean(change.entity),
      ...(change.oldEntity === null ? {} : { old_entity: clean(change.oldEntity) }),
      schema: change.schema,
    });
    return { id: changeId(options.origin, source, change), source, event, data, at: options.now };
  };
  return [
    ...(wants('crud', change.schema) ? [make('crud', change.schema)] : []),
    ...(wants('dao:crud', change.operation) ? [make('dao:crud', change.operation)] : []),
  ];
}
