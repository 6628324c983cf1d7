/** The development gateway: Kong's side of the plugin socket, for development and tests. No gateway for production. */
export { startSandbox, type Sandbox } from './sandbox.ts';
export type { PluginServerOptions, SandboxOptions } from './options.ts';
export { logLevels, type LogLevel, type SandboxLog } from './gateway/log.ts';
