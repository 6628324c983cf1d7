export { hasColour, palette } from './colour.ts';
export type { Paint, Palette } from './colour.ts';
export { prettyLines, recordOf } from './pretty.ts';
export type { LogRecord } from './pretty.ts';
export { printable, printableJson, printableLine } from './printable.ts';
export { authorFrame, excerptNamedIn, framesOf, readableStack } from './stack.ts';
