export { SqliteFile } from './file.ts';
export type { SqliteOptions, Synchronous } from './file.ts';
export { resultCode } from './failure.ts';
