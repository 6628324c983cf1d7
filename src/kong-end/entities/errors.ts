import { prettyTable, violationMessage } from '../schema/index.ts';
import type { FieldErrors, PlainObject } from '../schema/index.ts';

/** What Kong answers when an entity cannot be read or written. */
export interface EntityErrorBody {
  code: number;
  name: string;
  message: string;
  fields?: PlainObject;
  options?: PlainObject;
}

/** An error of the data layer: an HTTP status and Kong's body. */
export class EntityError extends Error {
  override readonly name = 'EntityError';
  readonly status: number;
  readonly body: EntityErrorBody;

  constructor(status: number, body: EntityErrorBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/** A table on one line with `null` for nothing, as in Kong's messages about keys. */
const inline = (table: PlainObject): string => prettyTable(table, '').replaceAll('"userdata: NULL"', 'null');

export const entityErrors = {
  schemaViolation: (fields: FieldErrors): EntityError =>
    new EntityError(400, { code: 2, name: 'schema violation', message: violationMessage(fields), fields }),
  primaryKeyViolation: (key: PlainObject): EntityError =>
    new EntityError(400, {
      code: 3,
      name: 'primary key violation',
      message: `primary key violation on key '${inline(key)}'`,
      fields: key,
    }),
  foreignKeyMissing: (field: string, key: PlainObject, parent: string): EntityError =>
    new EntityError(400, {
      code: 4,
      name: 'foreign key violation',
      message: `the foreign key '${inline(key)}' does not reference an existing '${parent}' entity.`,
      fields: { [field]: key },
    }),
  foreignKeyRestricted: (parent: string, child: string): EntityError =>
    new EntityError(400, {
      code: 4,
      name: 'foreign key violation',
      message: `an existing '${child}' entity references this '${parent}' entity`,
      fields: { '@referenced_by': child },
    }),
  uniqueViolation: (key: PlainObject): EntityError =>
    new EntityError(409, {
      code: 5,
      name: 'unique constraint violation',
      message: `UNIQUE violation detected on '${inline(key)}'`,
      fields: key,
    }),
  notFound: (key: PlainObject, byField: boolean): EntityError =>
    new EntityError(404, {
      code: 6,
      name: 'not found',
      message: byField
        ? `could not find the entity with '${inline(key)}'`
        : `could not find the entity with primary key '${inline(key)}'`,
      fields: key,
    }),
  invalidOffset: (offset: string, why: string): EntityError =>
    new EntityError(400, {
      code: 7,
      name: 'invalid offset',
      message: `'${offset}' is not a valid offset: ${why}`,
    }),
  invalidSize: (why: string): EntityError =>
    new EntityError(400, { code: 9, name: 'invalid size', message: why }),
  invalidUnique: (field: string, why: string): EntityError =>
    new EntityError(400, { code: 10, name: `invalid unique ${field}`, message: why }),
  invalidOptions: (options: Record<string, string>): EntityError => {
    const parts = Object.entries(options).map(([name, why]) => `${name}: ${why}`);
    const message =
      parts.length === 1
        ? `invalid option (${parts[0]})`
        : `${parts.length} option violations (${parts.join('; ')})`;
    return new EntityError(400, { code: 11, name: 'invalid options', message, options });
  },
  operationUnsupported: (verb: string, kind: string, field?: string): EntityError =>
    new EntityError(405, {
      code: 12,
      name: 'operation unsupported',
      message: `cannot ${verb} '${kind}' entities ${field === undefined ? '' : `by '${field}' `}when not using a database`,
    }),
  foreignKeyUnresolved: (field: string, key: PlainObject, parent: string): EntityError => {
    const [name = ''] = Object.keys(key);
    const why = `the foreign key cannot be resolved with '${inline(key)}' for an existing '${parent}' entity`;
    return new EntityError(400, {
      code: 13,
      name: 'foreign keys unresolved',
      message: `foreign key unresolved (${field}.${name}: ${why})`,
      fields: { [field]: { [name]: why } },
    });
  },
};
