/** What a record holds by a name that somebody typed: `constructor` is nothing unless it was put there. */
export const own = <Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
