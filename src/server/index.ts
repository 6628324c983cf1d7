/** The plugin server: starting one, asking one, and what its options and answers are. */
export { startServer } from './process/start-server.ts';
export type { StartServerOptions } from './process/start-server.ts';
export type { CompiledServerOptions, ServerOptions, SocketOptions } from './options.ts';
export { compileBytes, compileServerOptions } from './options.ts';
export type { ReloadResult, ServerStatus, WorkerStatus } from './admin/status.ts';
export type { RunningServer } from './running-server.ts';
export type { LogFormat, LogLevel, ServerLog } from './log/types.ts';
export { logFormats, logLevels } from './log/types.ts';
export { createCallbackLog } from './log/server-log.ts';
export { readLines } from './hooks/bounded-lines.ts';
export { FileWatch } from './watch/file-watch.ts';
export { Quiet } from './watch/quiet.ts';
export { runServer } from './process/run-server.ts';
export { checkSecrets } from './nginx.ts';
