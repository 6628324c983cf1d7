export type { AutoOptions, AutoResult } from './auto-fields.ts';
export { compileSchema } from './compile.ts';
export type { CompiledSchema, ProcessResult } from './compile.ts';
export { eachField, fieldAt, subschemaOf } from './shape.ts';
export type { Field, Shape } from './shape.ts';
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
  asRecord,
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
