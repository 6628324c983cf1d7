export { BodyFiles } from '../connection/body-file.ts';
export { lookAtRuntime, serveConnection } from '../connection/index.ts';
export type {
  ConnectionHandle,
  ConnectionHost,
  RunningInstance,
  StartedInstance,
} from '../connection/index.ts';
export { InstanceRegistry } from '../instances/index.ts';
export { createPluginStats } from '../metrics/phase-stats.ts';
export { PluginMetricsStore } from '../metrics/plugin-metrics.ts';
