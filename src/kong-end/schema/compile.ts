import { autoFields } from './auto-fields.ts';
import type { AutoOptions, AutoResult } from './auto-fields.ts';
import { compileShape } from './shape.ts';
import type { Shape } from './shape.ts';
import type { Context, FieldErrors, PlainObject, SchemaDefinition } from './types.ts';
import { validateEntity, validateField } from './validate.ts';
import { violationMessage } from './violation.ts';

export type ProcessResult =
  | { readonly value: PlainObject; readonly errors?: undefined }
  | {
      readonly value?: undefined;
      /** Kong's `fields` object. */
      readonly errors: FieldErrors;
      /** Kong's summary: `schema violation (config.n: expected a number)`. */
      readonly message: string;
    };

export interface CompiledSchema extends Shape {
  /** Fills defaults and automatic fields (insert) and checks everything: what a POST does with its body. */
  process(input: PlainObject, options?: AutoOptions): ProcessResult;
  autoFields(input: PlainObject, context: Context, options?: AutoOptions): AutoResult;
  /** Checks an entity that autoFields made. `full` demands all fields (insert), otherwise a part will do (update). */
  validate(entity: PlainObject, full?: boolean): FieldErrors | undefined;
}

/**
 * Compiles a schema in Kong's schema language. Throws CONFIG_INVALID when the schema itself is malformed, naming
 * the field.
 */
export function compileSchema(definition: SchemaDefinition): CompiledSchema {
  const shape = compileShape(definition);
  return {
    ...shape,
    autoFields: (input, context, options) =>
      autoFields(shape, input, context, { ...options, check: validateField }),
    validate: (entity, full = true) => validateEntity(shape, entity, full),
    process(input, options) {
      const filled = autoFields(shape, input, 'insert', { ...options, check: validateField });
      if (filled.errors !== undefined) {
        return { errors: filled.errors, message: violationMessage(filled.errors) };
      }
      const errors = validateEntity(shape, filled.value, true);
      return errors === undefined ? filled : { errors, message: violationMessage(errors) };
    },
  };
}
