/**
 * The development gateway: Kong's side of the plugin socket, for development and tests. It is not a gateway for
 * production.
 */
export type { Sandbox } from './sandbox.ts';
export { startSandbox } from './sandbox.ts';
export type { PluginServerOptions } from '../kong-end/index.ts';
export type { RequestReport } from './gateway/request-report.ts';
export type { SandboxOptions } from './options.ts';
export type { LogLevel, SandboxLog } from '../kong-end/index.ts';
export { logLevels } from '../kong-end/index.ts';
