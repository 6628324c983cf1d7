import type { WatchedEvent, Wants } from '../port.ts';
import type { Change, Entity } from './changes.ts';
import { changeId } from './changes.ts';

/** Whether any hook would hear of a change of this kind. */
export function wantsKind(wants: Wants, schema: string): boolean {
  return (
    wants('crud', schema) ||
    (['create', 'update', 'delete'] as const).some((operation) => wants('dao:crud', operation))
  );
}

export interface EventOptions {
  /** Which Kong it is. */
  readonly origin: string;
  readonly now: number;
  readonly generation: number;
}

/**
 * The events of a change: one of `crud`, named after the kind, and one of `dao:crud`, named after the operation.
 * @param before the JSON text of the entity before an update
 */
export function eventsOf(
  change: Change,
  before: string | null,
  wants: Wants,
  options: EventOptions,
): WatchedEvent[] {
  const { schema, operation, text } = change;
  let data: string | null = null;
  const make = (source: string, event: string): WatchedEvent => {
    data ??= JSON.stringify({
      operation,
      entity: JSON.parse(text) as Entity,
      ...(operation !== 'update' || before === null ? {} : { old_entity: JSON.parse(before) as Entity }),
      schema,
    });
    return {
      id: changeId(options.origin, source, change, options.generation),
      source,
      event,
      data,
      at: options.now,
    };
  };
  return [
    ...(wants('crud', schema) ? [make('crud', schema)] : []),
    ...(wants('dao:crud', operation) ? [make('dao:crud', operation)] : []),
  ];
}
