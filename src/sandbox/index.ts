/** The development gateway: Kong's side of the plugin socket, for development and tests. No gateway for production. */
export { startSandbox, type Sandbox } from './sandbox.ts';
export type { PluginServerOptions } from '../kong-end/index.ts';
export type { SandboxOptions } from './options.ts';
export { logLevels, type LogLevel, type SandboxLog } from '../kong-end/index.ts';
