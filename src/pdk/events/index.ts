/** What a server needs to run events: rows, which calls may be merged, and how an exit is told. */
export { rowByName } from '../catalogue.ts';
export type { FunctionRow, ResultKind } from '../catalogue.ts';
export { ExitSignal } from '../channel.ts';
export type { KongFacts, PhaseChannel } from '../channel.ts';
export { canShare, effectsOf, everything, fieldsOf, pluralOf, sameName } from '../merging.ts';
export type { Effects, Fields, Plural } from '../merging.ts';
