import type { RouteEntity } from '../entities/types.ts';

/** The properties that put one of a route's groups of paths before others. */
export type Prioritized = Pick<
  RouteEntity,
  'methods' | 'hosts' | 'headers' | 'snis' | 'paths' | 'regex_priority' | 'sources' | 'destinations'
>;

const plainHostsBit = 1n << 60n;
const regexBit = 1n << 51n;

/** LuaJIT shifts plain numbers by the offset modulo 32, and in 32 bits with a sign. */
const shift = (value: number, offset: number): number => value << (offset & 31);

/** A plain number joins 64 bits with its sign extended. */
const widened = (value: number): bigint => BigInt.asUintN(64, BigInt(value | 0));

/**
 * The priority of a route in Kong 3.9.3 (kong/router/transform.lua, flavour traditional_compatible), the highest first.
 * Kong means to count the attributes of a route first. But it shifts that number, the number of headers and
 * regex_priority in 32 bits. So plain hosts, and then a regular expression, rank above them.
 */
export function routePriority(route: Prioritized): bigint {
  const headers = Object.keys(route.headers ?? {}).length;
  const paths = route.paths ?? [];
  const [path = ''] = paths;
  const regex = path.startsWith('~');
  const weight =
    [route.sources, route.destinations, route.methods, route.hosts, route.snis, paths].filter(isGiven)
      .length + (headers > 0 ? 1 : 0);
  const plainHosts = Array.isArray(route.hosts) && route.hosts.every((host) => !host.includes('*'));
  return (
    widened(shift(weight, 61)) |
    (plainHosts ? plainHostsBit : 0n) |
    (regex ? regexBit : 0n) |
    widened(shift(Math.min(headers, 255), 52)) |
    widened(shift(regex ? route.regex_priority : 0, 19)) |
    widened(regex ? 0 : Buffer.byteLength(path) & 0x7ffff)
  );
}

function isGiven(list: readonly unknown[] | null | undefined): boolean {
  return list !== null && list !== undefined && list.length > 0;
}

/** Kong makes one route of the paths of each length, and one of all regular expressions. */
export function groupPaths(paths: readonly string[] | null): (readonly string[] | null)[] {
  if (paths === null || paths.length === 0) return [paths];
  const groups = new Map<number, string[]>();
  for (const path of paths) {
    const key = path.startsWith('~') ? 0 : Buffer.byteLength(path);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [path]);
    else group.push(path);
  }
  return [...groups.values()];
}
