export { asRecord } from './auto-fields.ts';
export type { AutoOptions } from './auto-fields.ts';
export { compileSchema, eachField, fieldAt, subschemaOf } from './compile.ts';
export type { AutoResult, CompiledSchema, Field, ProcessResult } from './compile.ts';
export { pluginRefusals, schemaRefusals } from './refusals.ts';
export type { SchemaRefusal } from './refusals.ts';
export { schemaToJson } from './jsonable.ts';
export { luaMatch, luaMatches } from './lua-pattern.ts';
export { luaToString, prettyTable, quotedList } from './lua-text.ts';
export type {
  Context,
  CustomValidator,
  EntityCheck,
  FieldError,
  FieldErrors,
  FieldSchema,
  NamedField,
  PlainObject,
  SchemaDefinition,
} from './types.ts';
export { validateField } from './validate.ts';
export { regexError } from './validators.ts';
export {
  asSequence,
  deepCopy,
  deepEqual,
  getPath,
  isNonEmpty,
  isDeeperThan,
  isObject,
  isTable,
  own,
} from './values.ts';
export { violationMessage } from './violation.ts';
