/** What a run of a fleet has done and seen, in the order in which it happened on one machine, by its steady clock. */
export type Entry =
  /** A node has acknowledged an event: it is stored. */
  | {
      readonly what: 'acknowledged';
      readonly at: number;
      readonly event: string;
      readonly hooks: readonly string[];
    }
  /** A request has arrived at a target, and its answer has left at `until`. */
  | {
      readonly what: 'arrived';
      readonly at: number;
      readonly until: number;
      readonly event: string;
      readonly hook: string;
      readonly target: string;
      readonly node: string;
    }
  /** Something was broken from `at` to `until`. */
  | { readonly what: 'fault'; readonly at: number; readonly until: number; readonly kind: string }
  /** A node had a right under an epoch, as it saw it, when somebody looked. */
  | {
      readonly what: 'held';
      readonly at: number;
      readonly node: string;
      readonly name: string;
      readonly epoch: number;
    }
  /** What the store says of a delivery at the end. */
  | {
      readonly what: 'recorded';
      readonly event: string;
      readonly hook: string;
      readonly seq: number;
      readonly state: string;
    };

export interface Rules {
  /** Doubles and crossing requests may come from the beginning of a fault until so long after its end, in milliseconds. */
  readonly afterMs: number;
  /** Requests on their way to a target at a time. */
  readonly inFlight: number;
  /** Hooks that fire once in the whole run, by their snooze. */
  readonly snoozed: readonly string[];
  /** Hooks whose deliveries are one at a time, so that their first attempts are in order. */
  readonly ordered: readonly string[];
}

/** What a history breaks, in sentences. Nothing: it keeps the promises. */
export function violations(history: readonly Entry[], rules: Rules): string[] {
  return [
    ...lost(history, rules),
    ...unrecorded(history),
    ...doubles(history, rules),
    ...disorder(history, rules),
    ...secondFirings(history, rules),
    ...sharedEpochs(history),
    ...crowds(history, rules),
  ];
}

type Of<T extends Entry['what']> = Extract<Entry, { what: T }>;
const of = <T extends Entry['what']>(history: readonly Entry[], what: T): Of<T>[] =>
  history.filter((one): one is Of<T> => one.what === what);
const keyOf = ({ event, hook }: { event: string; hook: string }): string => `${event} for ${hook}`;
type InFault = (from: number, until: number) => boolean;
function windows(history: readonly Entry[], { afterMs }: Rules): InFault {
  const faults = of(history, 'fault');
  return (from, until) => faults.some((fault) => until >= fault.at && from <= fault.until + afterMs);
}

function lost(history: readonly Entry[], { snoozed }: Rules): string[] {
  const arrived = new Set(of(history, 'arrived').map(keyOf));
  return of(history, 'acknowledged').flatMap(({ event, hooks }) =>
    hooks
      .filter((hook) => !snoozed.includes(hook) && !arrived.has(keyOf({ event, hook })))
      .map((hook) => `${keyOf({ event, hook })} was acknowledged and never arrived`),
  );
}

function unrecorded(history: readonly Entry[]): string[] {
  const arrived = new Set(of(history, 'arrived').map(keyOf));
  return of(history, 'recorded').flatMap((one) => {
    if (one.state !== 'delivered') return [`${keyOf(one)} is ${one.state} at the end`];
    return arrived.has(keyOf(one)) ? [] : [`${keyOf(one)} is delivered in the store and never arrived`];
  });
}

function doubles(history: readonly Entry[], rules: Rules): string[] {
  const inFault = windows(history, rules);
  const first = new Map<string, Of<'arrived'>>();
  return of(history, 'arrived').flatMap((one) => {
    const before = first.get(keyOf(one));
    if (before === undefined) first.set(keyOf(one), one);
    if (before === undefined || inFault(before.at, one.at)) return [];
    return [`${keyOf(one)} arrived twice while nothing was broken`];
  });
}

function disorder(history: readonly Entry[], rules: Rules): string[] {
  const inFault = windows(history, rules);
  const numbers = new Map(of(history, 'recorded').map((one) => [keyOf(one), one.seq]));
  return rules.ordered.flatMap((hook) => {
    const seen = new Set<string>();
    const firsts = of(history, 'arrived').filter((one) => {
      const isFirst = one.hook === hook && !seen.has(keyOf(one));
      if (isFirst) seen.add(keyOf(one));
      return isFirst;
    });
    return firsts.flatMap((one, at) => {
      const before = firsts[at - 1];
      if (before === undefined || inFault(before.at, one.at)) return [];
      const isInOrder = (numbers.get(keyOf(before)) ?? 0) < (numbers.get(keyOf(one)) ?? Infinity);
      return isInOrder ? [] : [`${keyOf(one)} arrived after ${keyOf(before)}, which was stored later`];
    });
  });
}

function secondFirings(history: readonly Entry[], { snoozed }: Rules): string[] {
  return snoozed.flatMap((hook) => {
    const events = new Set(
      [...of(history, 'arrived'), ...of(history, 'recorded')]
        .filter((one) => one.hook === hook)
        .map(({ event }) => event),
    );
    return events.size > 1 ? [`${hook} fired ${String(events.size)} times within its snooze`] : [];
  });
}

function sharedEpochs(history: readonly Entry[]): string[] {
  const owners = new Map<number, string>();
  const broken = new Set<string>();
  for (const { node, name, epoch } of of(history, 'held')) {
    const owner = `${node} for ${name}`;
    const known = owners.get(epoch) ?? owner;
    owners.set(epoch, known);
    if (known !== owner) broken.add(`epoch ${String(epoch)} was held by ${known} and by ${owner}`);
  }
  return [...broken];
}

function crowds(history: readonly Entry[], rules: Rules): string[] {
  const inFault = windows(history, rules);
  const onTheirWay = new Map<string, Of<'arrived'>[]>();
  const arrived = of(history, 'arrived').sort((a, b) => a.at - b.at);
  return arrived.flatMap((one) => {
    const beside = [...(onTheirWay.get(one.target) ?? []).filter(({ until }) => until > one.at), one];
    onTheirWay.set(one.target, beside);
    const isCrowd = beside.length > rules.inFlight;
    const from = Math.min(...beside.map(({ at }) => at));
    if (!isCrowd || inFault(from, one.at)) return [];
    return [`${String(beside.length)} requests were on their way to ${one.target} at ${String(one.at)}`];
  });
}
