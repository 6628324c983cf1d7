import { z } from 'zod';
import { FormFields } from './form-fields.ts';
import type { JsonSchema } from './form-fields.ts';
import type { KindDescription } from './kind.ts';
import { schemaOf } from './schema.ts';

/** The kinds of handler that a node knows, and what follows from their records. */
export class KindSet<Kind extends KindDescription = KindDescription> {
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #schemas: ReadonlyMap<string, z.ZodObject>;
  #document: JsonSchema | null = null;
  #form: FormFields | null = null;

  /** @param kinds with names that differ */
  constructor(kinds: readonly Kind[]) {
    this.#kinds = new Map(kinds.map((kind) => [kind.name, kind]));
    this.#schemas = new Map(kinds.map((kind) => [kind.name, schemaOf(kind)]));
    if (this.#kinds.size !== kinds.length) throw new Error('two kinds of handler have the same name');
  }

  /** In the order in which they were given. */
  get names(): string[] {
    return [...this.#kinds.keys()];
  }
  /** null where there is no such kind. */
  get(name: unknown): Kind | null {
    return (typeof name === 'string' ? this.#kinds.get(name) : undefined) ?? null;
  }
  /** The schema of a kind's hooks; null where there is no such kind. */
  schema(name: unknown): z.ZodObject | null {
    return (typeof name === 'string' ? this.#schemas.get(name) : undefined) ?? null;
  }

  /** What users may send, as JSON Schema: one of the kinds' hooks. */
  get document(): JsonSchema {
    return (this.#document ??= { oneOf: [...this.#schemas.values()].map(documentOf) });
  }
  /** What fields of forms and command lines stand for. */
  get form(): FormFields {
    return (this.#form ??= new FormFields(
      new Map([...this.#schemas].map(([name, schema]) => [name, documentOf(schema)])),
    ));
  }
}

function documentOf(schema: z.ZodObject): JsonSchema {
  const document = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const { $schema: _, ...rest } = document;
  return rest;
}
