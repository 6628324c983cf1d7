/** The messages that carry arguments and results of PDK functions, both ways. */
export { decodeArguments, encodeArguments, writeArguments } from './arguments.ts';
export { decodeResult, encodeResult } from './results.ts';
export type { RawBodyResult, UriCapturesResult } from './results.ts';
