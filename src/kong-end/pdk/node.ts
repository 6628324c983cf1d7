import { reject } from './checks.ts';
import type { Implementations } from './types.ts';

/** Shared memory of a Kong 3.9.3 with its defaults: allocated and capacity, in bytes. */
const dictionaries: Readonly<Record<string, readonly [number, number]>> = {
  kong: [40_960, 5_242_880],
  kong_locks: [61_440, 8_388_608],
  kong_healthchecks: [40_960, 5_242_880],
  kong_cluster_events: [40_960, 5_242_880],
  kong_rate_limiting_counters: [86_016, 12_582_912],
  kong_core_db_cache: [802_816, 134_217_728],
  kong_core_db_cache_miss: [86_016, 12_582_912],
  kong_db_cache: [798_720, 134_217_728],
  kong_db_cache_miss: [86_016, 12_582_912],
  kong_secrets: [40_960, 5_242_880],
  prometheus_metrics: [40_960, 5_242_880],
};

const units: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function memoryStats(unit: unknown, scale: unknown): unknown {
  const name = unit === undefined || unit === null || unit === '' ? 'b' : unit;
  if (typeof name !== 'string') return reject('unit must be a string');
  const divisor = units[name.toLowerCase()];
  if (divisor === undefined || !Object.hasOwn(units, name.toLowerCase()))
    return reject(`invalid unit '${name}' (expected 'k/K', 'm/M', or 'g/G')`);
  const digits = typeof scale === 'number' ? scale : 2;
  if (digits < 0) return reject('scale must be equal or greater than 0');
  const show = (size: number): number | string =>
    divisor === 1 ? size : `${(size / divisor).toFixed(Math.min(digits, 20))} ${name.toUpperCase()}iB`;
  return {
    lua_shared_dicts: Object.fromEntries(
      Object.entries(dictionaries).map(([key, [allocated, capacity]]) => [
        key,
        { allocated_slabs: show(allocated), capacity: show(capacity) },
      ]),
    ),
    workers_lua_vms: [{ http_allocated_gc: show(process.memoryUsage().heapUsed), pid: process.pid }],
  };
}

export const nodeFunctions: Implementations = {
  'kong.node.get_id': ({ exchange }) => exchange.node.id,
  'kong.node.get_hostname': ({ exchange }) => exchange.node.hostname,
  'kong.node.get_memory_stats': (_call, [unit, scale]) => memoryStats(unit, scale),
  'kong.cluster.get_id': () => null,
  'kong.plugin.get_id': ({ plugin }) => plugin.entity.id,
  'kong.ip.is_trusted': ({ exchange }, [address]) => {
    if (typeof address !== 'string') return reject('ip must be a string');
    return exchange.node.isTrusted(address);
  },
  'kong.telemetry.log': () => null,
};
