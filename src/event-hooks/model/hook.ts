export type FilterScalar = string | number | boolean | null;
/** Conditions on one value; all must hold. A bare scalar means `eq`. */
export interface FilterCondition {
  eq?: FilterScalar;
  ne?: FilterScalar;
  in?: FilterScalar[];
  not_in?: FilterScalar[];
  gt?: number;
  gte?: number;
  lt?: number;
  lte?: number;
  exists?: boolean;
  starts_with?: string;
  ends_with?: string;
  contains?: string;
}
/** Dotted path in the payload -> condition; every path must match for the hook to fire. */
export type HookFilter = Record<string, FilterScalar | FilterCondition>;

/** What every hook has, whatever its handler. */
export interface HookBase {
  id: string;
  /** Seconds since the epoch. */
  created_at: number;
  updated_at: number;
  source: string;
  /** null: every event of the source. */
  event: string | null;
  on_change: boolean | null;
  /** Seconds. */
  snooze: number | null;
  /** Ours; left out while true. */
  enabled?: false;
  /** Ours: why the hook was switched off. */
  disabled_reason?: string;
  /** Ours: fires only for payloads that match. */
  filter?: HookFilter;
  /** Ours: deliveries in flight at a time. */
  concurrency?: number;
  /** Ours: deliveries per second. */
  rate?: number;
  /** Ours: seconds between attempts, in place of the dispatcher's schedule. */
  retry_schedule?: number[];
}
/** A hook whose configuration its kind has checked. */
export interface HookOf<Config> extends HookBase {
  /** The name of a kind of handler. */
  handler: string;
  config: Config;
}
/** A hook of any kind. */
export type Hook = HookOf<Readonly<Record<string, unknown>>>;

/** Whether two names speak of the same event: `crud` events carry their operation beside the entity's name. */
export function firedName(
  hook: Pick<Hook, 'source' | 'event'>,
  event: string,
  operation: unknown,
): string | null {
  if (hook.event === null || hook.event === event) return event;
  if (hook.source === 'crud' && typeof operation === 'string' && hook.event === `${event}:${operation}`) {
    return hook.event;
  }
  return null;
}

/** The event's name as the hook's payload says it: its own `consumers:update` for the crud event `consumers`. */
export function eventNameFor(hook: Pick<Hook, 'source' | 'event'>, event: string): string {
  return hook.source === 'crud' && hook.event?.startsWith(`${event}:`) === true ? hook.event : event;
}
