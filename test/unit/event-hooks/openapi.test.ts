import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answers } from '../../../src/event-hooks/admin/answers.ts';
import { endpoints } from '../../../src/event-hooks/admin/endpoints.ts';
import { openApiDocument } from '../../../src/event-hooks/admin/openapi.ts';
import { handlerKinds } from '../../../src/event-hooks/handlers/kinds.ts';

interface Document {
  paths: Record<string, Record<string, { operationId?: string; responses?: object }>>;
  components: { schemas: Record<string, Record<string, unknown>> };
}
const document = openApiDocument(handlerKinds, endpoints) as unknown as Document;
const { schemas } = document.components;

describe('the OpenAPI document', () => {
  it('refers only to schemas that it has, and has none that nothing refers to', () => {
    const text = JSON.stringify(document);
    const used = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
    expect([...used].sort()).toEqual(Object.keys(schemas).sort());
  });

  it('describes each answer as the schema does that the routes are typed with', () => {
    for (const name of Object.keys(answers(handlerKinds))) {
      expect(schemas[name], name).toMatchObject({ type: 'object' });
      expect(schemas[name], name).not.toHaveProperty('$schema');
    }
    expect(schemas.Delivery).toMatchObject({
      additionalProperties: false,
      properties: {
        state: { enum: ['pending', 'waiting', 'delivered', 'dead'] },
        history: { type: 'array' },
      },
    });
    expect(schemas.HookPage).toMatchObject({
      properties: { data: { items: { $ref: '#/components/schemas/Hook' } } },
    });
  });

  it('tells of a hook what may be left out and what is always there', () => {
    const { required, properties } = schemas.Hook as {
      required: string[];
      properties: Record<string, object>;
    };
    expect([...required].sort()).toEqual(
      [
        'config',
        'created_at',
        'event',
        'handler',
        'id',
        'on_change',
        'snooze',
        'source',
        'updated_at',
      ].sort(),
    );
    expect(properties.enabled).toMatchObject({
      description: expect.stringContaining('Left out while true') as string,
    });
    const answer = z.fromJSONSchema(schemas.Hook as Parameters<typeof z.fromJSONSchema>[0]);
    expect(answer.safeParse({ id: 'x' }).success).toBe(false);
  });

  it('gives every operation a name of its own and at least one answer', () => {
    const operations = Object.values(document.paths).flatMap((path) =>
      Object.entries(path).flatMap(([method, operation]) => (method === 'parameters' ? [] : [operation])),
    );
    const names = operations.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { responses = {} } of operations) expect(Object.keys(responses).length).toBeGreaterThan(0);
  });
});
