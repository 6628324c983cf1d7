import { z } from 'zod';
import { hookSchema } from '../model/schema.ts';

/** The OpenAPI document; complete in the next step of this file's life. */
export function openApiDocument(): Record<string, unknown> {
  return {
    openapi: '3.1.0',
    info: { title: 'Event hooks', version: '1' },
    paths: {},
    components: { schemas: { Hook: z.toJSONSchema(hookSchema) } },
  };
}
