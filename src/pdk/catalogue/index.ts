/** The catalogue alone: what Kong's PDK has and how it answers, without the functions that plugins call. */
export { catalogue, namespaces, rowByName } from '../catalogue.ts';
export type { FunctionRow, ResultKind } from '../catalogue.ts';
export { errorMessage } from '../bodies/error-body.ts';
export { isSendable } from '../ctx-keys.ts';
