export { SqliteFile } from './file.ts';
export type { SqliteOptions, Synchronous, Value as SqliteValue } from './file.ts';
export { resultCode } from './failure.ts';
