import type { KindSet } from '../model/kind-set.ts';
import type { Endpoint, Json } from './endpoint.ts';
import { componentSchemas } from './openapi-schemas.ts';

/**
 * The OpenAPI document of the Admin API.
 * @param kinds the handlers that hooks can name
 */
export function openApiDocument(kinds: KindSet, endpoints: readonly Endpoint[]): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'kong-ts event hooks',
      version: '1',
      description:
        "Event hooks in the manners of Kong's Admin API. Every path also exists under /{workspace}.",
    },
    servers: [{ url: 'http://127.0.0.1:8001' }],
    security: [{}, { adminToken: [] }],
    paths: Object.fromEntries(
      [...Map.groupBy(endpoints, ({ path }) => templateOf(path))].map(([path, rows]) => [
        path,
        pathItem(path, rows),
      ]),
    ),
    components: {
      schemas: componentSchemas(kinds),
      securitySchemes: { adminToken: { type: 'apiKey', in: 'header', name: 'Kong-Admin-Token' } },
    },
  };
}

/** `/event-hooks/:id` as OpenAPI writes it: `/event-hooks/{id}`. */
const templateOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}');

function pathItem(path: string, rows: readonly Endpoint[]): Json {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const operations = rows.map((row): [string, Json] => {
    const method = row.method.toLowerCase();
    return [method, operation(operationId(method, path), row)];
  });
  return { ...(parameters.length === 0 ? {} : { parameters }), ...Object.fromEntries(operations) };
}

const operation = (operationId: string, { summary, query, body, answers }: Endpoint): Json => ({
  operationId,
  summary,
  ...(query === undefined ? {} : { parameters: query }),
  ...(body === undefined ? {} : { requestBody: body }),
  responses: answers,
});

const operationId = (method: string, path: string): string =>
  `${method}${path.replace(/[^A-Za-z]+(\w)/g, (_, letter: string) => letter.toUpperCase()).replace(/\W/g, '')}`;
