import { z } from 'zod';
import type { KindSet } from '../model/kind-set.ts';
import { answers } from './answers.ts';
import { placeOf } from './endpoint.ts';

type Schema = Record<string, unknown>;

/**
 * The schemas of the document: the answers, and the forms in which a hook may be written. They come from the schemas in
 * use.
 */
export function componentSchemas(kinds: KindSet): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(answers(kinds))) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'output', uri: placeOf });
  const components = Object.entries(schemas).map(([name, schema]): [string, Schema] => {
    const { $schema: _, $id: _id, ...rest } = schema as Schema;
    return [name, rest];
  });
  return { HookInput: kinds.document, ...Object.fromEntries(components) };
}
