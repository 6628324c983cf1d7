export { grpcTarget } from '../grpc/address.ts';
export { flagName, flags, helpText } from './flags.ts';
export type { Command, Flag } from './flags.ts';
export { grpcToken, launchOf, readLaunch } from './launch.ts';
export type { DispatcherLaunch } from './launch.ts';
export { migrateStore } from './migrate.ts';
export { parseServeOptions } from './options.ts';
export { runDispatcher, startDispatcher } from './run.ts';
export { signatureProblem } from '../handlers/verify.ts';
