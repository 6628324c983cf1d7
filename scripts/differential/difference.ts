import { stableText, varies } from '../record/stable.ts';
import type { Expected, Wanted } from './exchange.ts';
import type { Observation } from './observe.ts';

export const differenceKinds = [
  'config',
  'timing',
  'status',
  'reason',
  'header',
  'body',
  'record field',
  'number of upstream requests',
  'upstream request',
  'PDK call',
] as const;

export interface Difference {
  readonly kind: (typeof differenceKinds)[number];
  readonly place: string;
  readonly kong: string;
  readonly seen: string;
}

/** Where an observation is not what was expected. What nobody said anything about is not a difference. */
export function differencesOf(expected: Expected, seen: Observation): Difference[] {
  const found: Difference[] = [];
  const check = (kind: Difference['kind'], place: string, wanted: unknown, is: unknown): void => {
    if (wanted !== undefined && !matches(wanted, is))
      found.push({ kind, place, kong: shown(wanted), seen: shown(is) });
  };
  check('config', '', expected.config, seen.config);
  check('timing', '', expected.timing, seen.timing);
  check('status', '', expected.status, seen.status);
  check('reason', '', expected.reason, seen.reason);
  check('body', '', expected.body, seen.body);
  check('body', 'as it came', expected.raw, seen.raw);
  const named = expected.order;
  check('header', 'order', named, named && [...new Set(seen.order)].filter((name) => named.includes(name)));
  if (expected.sizeAsSent !== undefined)
    check('record field', 'response.size', seen.raw.length, memberAt(seen.record, 'response.size'));
  check('number of upstream requests', '', expected.upstreamRequests, seen.upstream.length);
  for (const [name, wanted] of Object.entries(expected.headers ?? {}))
    check('header', name, wanted, seen.headers[name] ?? null);
  for (const [path, wanted] of Object.entries(expected.record ?? {}))
    check('record field', path, wanted, memberAt(seen.record, path));
  const last = seen.upstream.at(-1);
  check('upstream request', 'line', expected.upstream?.line, last?.line);
  check('upstream request', 'body', expected.upstream?.body, last?.body);
  for (const [name, wanted] of Object.entries(expected.upstream?.headers ?? {}))
    check('upstream request', name, wanted, headerOf(last?.headers ?? [], name));
  for (const [method, wanted] of Object.entries(expected.calls ?? {}))
    check('PDK call', method, wanted, valueOf(seen, method));
  return found;
}

/** Everything that was seen as something to expect: what one gateway did is held against another. */
export function expectedOf(seen: Observation): Expected {
  const stable = (table: Readonly<Record<string, unknown>>): Record<string, Wanted> =>
    Object.fromEntries(
      Object.entries(table).filter(([name]) => !varies(name.split('.').at(-1) ?? '')),
    ) as Record<string, Wanted>;
  const last = seen.upstream.at(-1);
  const names = [...new Set((last?.headers ?? []).map(([name]) => name))];
  return {
    status: seen.status,
    reason: seen.reason,
    headers: stable(seen.headers),
    body: seen.body,
    order: [...new Set(seen.order)],
    record: stable(flat(seen.record ?? {}, '')),
    upstreamRequests: seen.upstream.length,
    timing: seen.timing,
    ...(seen.config === 'refused' ? { config: 'refused' as const } : {}),
    ...(last === undefined
      ? {}
      : {
          upstream: {
            line: last.line,
            body: last.body,
            headers: stable(Object.fromEntries(names.map((name) => [name, headerOf(last.headers, name)]))),
          },
        }),
    calls: Object.fromEntries(
      seen.calls.flatMap(({ method }) =>
        method === undefined || method === 'kong.log.serialize' ? [] : [[method, valueOf(seen, method)]],
      ),
    ),
  };
}

function flat(value: object, path: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
      const here = path === '' ? name : `${path}.${name}`;
      return typeof member === 'object' && member !== null && !varies(name)
        ? Object.entries(flat(member, here))
        : [[here, member]];
    }),
  );
}

function headerOf(headers: readonly (readonly [string, string])[], name: string): string | string[] | null {
  const values = headers.filter(([each]) => each === name).map(([, value]) => value);
  return values.length > 1 ? values : (values[0] ?? null);
}

/** The last value of a call; ProtoBuf:1 has it in a message. */
function valueOf(seen: Observation, method: string): unknown {
  const call = seen.calls.filter((each) => each.method === method).at(-1);
  if (call === undefined || call.ok === undefined) return { failed: true };
  const v = call.ok.v ?? null;
  return call.ok.type === undefined ? v : ((v as { v?: unknown }).v ?? v);
}

function memberAt(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) found = (Object(found) as Record<string, unknown>)[name];
  return found ?? null;
}

function matches(wanted: unknown, is: unknown): boolean {
  if (wanted instanceof RegExp) return wanted.test(typeof is === 'string' ? is : JSON.stringify(is));
  return stableText(wanted) === stableText(is);
}

function shown(value: unknown): string {
  if (value instanceof RegExp) return String(value);
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 157)}...` : text;
}
