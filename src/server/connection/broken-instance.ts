import { phases } from '../../pdk/names/index.ts';
import type { CompiledPlugin, PhaseHandler, PluginHandlers } from '../../plugin/index.ts';
import { createPluginStats } from '../metrics/phase-stats.ts';
import type { PluginStats } from '../metrics/phase-stats.ts';
import type { RunningInstance } from './host.ts';

/**
 * An instance that Kong knows and that cannot run here, because its setup has failed on this worker, or after an idle
 * time. Its events fail like those of a handler that throws, over both protocols. If the server closed the connection
 * instead, Kong would start the instance elsewhere and come back for ever.
 */
export function brokenInstance(
  id: number,
  reason: unknown,
  plugin: CompiledPlugin = unknownPlugin,
  stats: PluginStats = createPluginStats(),
): RunningInstance {
  const fail: PhaseHandler = () => {
    throw reason;
  };
  const handlers = Object.fromEntries(phases.map((phase) => [phase, fail])) as PluginHandlers['phases'];
  return {
    id,
    plugin,
    handlers: { phases: handlers, close: null },
    config: null,
    stats,
    usage: { events: 0, whenIdle: null, used: false },
  };
}

const unknownPlugin: CompiledPlugin = {
  name: '(a plugin that is not loaded)',
  version: '0.0.0',
  priority: 0,
  protocol: 'protobuf',
  phases,
  schema: { name: 'unknown', fields: [] },
  onError: 'fail',
  phaseTimeout: 30_000,
  parseConfig: (raw) => raw,
  setup: () => Promise.resolve({ phases: {}, close: null }),
};
