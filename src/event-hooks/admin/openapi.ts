import type { KindSet } from '../model/kind-set.ts';
import { componentSchemas, ref } from './openapi-schemas.ts';

type Json = Record<string, unknown>;

const answer = (description: string, schema?: Json, type = 'application/json'): Json => ({
  description,
  ...(schema === undefined ? {} : { content: { [type]: { schema } } }),
});
const notFound = { 404: answer('There is no such thing.', ref('Message')) };
const invalid = {
  400: answer('The fields that are wrong, or why the body cannot be read.', {
    anyOf: [ref('SchemaViolation'), ref('Message')],
  }),
};
const query = (name: string, description: string, type = 'string'): Json => ({
  name,
  in: 'query',
  description,
  schema: { type },
});
const paging = [
  query('size', 'Items per page, 1 to 1000 (default 100).', 'integer'),
  query('offset', 'From the page before.'),
];
const hookBody = {
  required: true,
  content: {
    'application/json': { schema: ref('HookInput') },
    'application/x-www-form-urlencoded': { schema: { type: 'object' } },
    'multipart/form-data': { schema: { type: 'object' } },
  },
};
const objectBody = { content: { 'application/json': { schema: { type: 'object' } } } };

/** Path -> method -> operation. Every path exists under `/{workspace}` as well, which the description says. */
const paths: Record<string, Record<string, Json>> = {
  '/event-hooks': {
    get: {
      summary: 'List the hooks',
      parameters: paging,
      responses: { 200: answer('A page.', ref('HookPage')), ...invalid },
    },
    post: {
      summary: 'Create a hook',
      requestBody: hookBody,
      responses: {
        201: answer('The hook.', ref('Hook')),
        ...invalid,
        413: answer('The body is larger than 1 MiB.', ref('Message')),
      },
    },
  },
  '/event-hooks/{id}': {
    get: { summary: 'Read a hook', responses: { 200: answer('The hook.', ref('Hook')), ...notFound } },
    patch: {
      summary: 'Change fields of a hook',
      requestBody: objectBody,
      responses: { 200: answer('The hook.', ref('Hook')), ...notFound, ...invalid },
    },
    put: {
      summary: 'Replace or create a hook',
      requestBody: hookBody,
      responses: { 200: answer('The hook.', ref('Hook')), ...notFound, ...invalid },
    },
    delete: {
      summary: 'Delete a hook and its deliveries',
      responses: { 204: answer('It is gone, or was not there.') },
    },
  },
  '/event-hooks/{id}/ping': {
    get: {
      summary: 'Send a ping',
      responses: {
        200: answer('The payload that was sent.', ref('Ping')),
        400: answer('The handler cannot ping.', ref('Message')),
        ...notFound,
        502: answer('The target did not answer.', ref('Message')),
      },
    },
  },
  '/event-hooks/{id}/test': {
    post: {
      summary: "Run a hook's handler now on the posted fields",
      requestBody: objectBody,
      responses: { 200: answer('What came of it.', ref('TestResult')), ...notFound, ...invalid },
    },
  },
  '/event-hooks/{id}/deliveries': {
    get: {
      summary: 'Deliveries of a hook, newest first',
      parameters: [
        ...paging,
        query('state', 'pending, waiting, delivered or dead'),
        query('since', 'Seconds since the epoch or an ISO 8601 time.'),
      ],
      responses: { 200: answer('A page.', ref('DeliveryPage')), ...notFound, ...invalid },
    },
  },
  '/event-hooks/{id}/replay': {
    post: {
      summary: 'Make deliveries of a hook again: all, or since a time',
      requestBody: objectBody,
      responses: { 202: answer('How many.', ref('Replayed')), ...notFound, ...invalid },
    },
  },
  '/event-hooks/deliveries/{id}': {
    get: {
      summary: 'Read one delivery',
      responses: { 200: answer('The delivery.', ref('Delivery')), ...notFound },
    },
  },
  '/event-hooks/deliveries/{id}/replay': {
    post: {
      summary: 'Make one delivery again',
      responses: { 202: answer('How many.', ref('Replayed')), ...notFound },
    },
  },
  '/event-hooks/sources': {
    get: {
      summary: 'What can be hooked',
      responses: {
        200: answer('Sources and events.', {
          type: 'object',
          properties: {
            data: {
              type: 'object',
              additionalProperties: { type: 'object', additionalProperties: ref('EventInfo') },
            },
          },
          required: ['data'],
        }),
      },
    },
  },
  '/event-hooks/sources/{source}': {
    get: {
      summary: 'Events of a source',
      responses: {
        200: answer('Its events.', {
          type: 'object',
          properties: { data: { type: 'object', additionalProperties: ref('EventInfo') } },
          required: ['data'],
        }),
        ...notFound,
      },
    },
  },
  '/event-hooks/sources/{source}/{event}': {
    get: {
      summary: 'One event',
      responses: {
        200: answer('The event.', {
          type: 'object',
          properties: { data: ref('EventInfo') },
          required: ['data'],
        }),
        ...notFound,
      },
    },
  },
  '/event-hooks/events': {
    post: {
      summary: 'Emit events: one, or a list under "events"',
      requestBody: objectBody,
      responses: {
        202: answer('They are stored.', {
          type: 'object',
          properties: { accepted: { type: 'integer' } },
          required: ['accepted'],
        }),
        ...invalid,
      },
    },
  },
  '/event-hooks/tail': {
    get: {
      summary: 'Events and deliveries as they happen',
      responses: { 200: answer('One JSON object per line.', { type: 'string' }, 'application/x-ndjson') },
    },
  },
  '/event-hooks/status': {
    get: { summary: 'State of the dispatcher', responses: { 200: answer('The state.', ref('Status')) } },
  },
  '/metrics': {
    get: {
      summary: 'Prometheus metrics',
      responses: { 200: answer('Metrics.', { type: 'string' }, 'text/plain') },
    },
  },
  '/event-hooks/metrics': {
    get: {
      summary: "The same, also where /metrics is Kong's",
      responses: { 200: answer('Metrics.', { type: 'string' }, 'text/plain') },
    },
  },
  '/event-hooks/openapi.json': {
    get: { summary: 'This document', responses: { 200: answer('OpenAPI 3.1.', { type: 'object' }) } },
  },
};

/** The OpenAPI document of the Admin API. @param kinds the handlers that hooks can name */
export function openApiDocument(kinds: KindSet): Json {
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
      Object.entries(paths).map(([path, item]) => [path, withParameters(path, item)]),
    ),
    components: {
      schemas: componentSchemas(kinds),
      securitySchemes: { adminToken: { type: 'apiKey', in: 'header', name: 'Kong-Admin-Token' } },
    },
  };
}

function withParameters(path: string, item: Record<string, Json>): Json {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const operations = Object.entries(item).map(([method, operation]): [string, Json] => [
    method,
    { operationId: operationId(method, path), ...operation },
  ]);
  return { ...(parameters.length === 0 ? {} : { parameters }), ...Object.fromEntries(operations) };
}

const operationId = (method: string, path: string): string =>
  `${method}${path.replace(/[^A-Za-z]+(\w)/g, (_, letter: string) => letter.toUpperCase()).replace(/\W/g, '')}`;
