import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Backlog } from '../dispatcher/backlog.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import type { Access } from './access/access.ts';
import type { ReplayJobs } from './replays/jobs.ts';
import type { RecentRows } from './live/recent-rows.ts';
import type { ComponentName } from './answers.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The endpoint of a route; the console's pages have none. */
    row?: Endpoint;
    isPage?: true;
  }
}

/**
 * One endpoint of the Admin API: what it is called, how it is described, and what it does. The routes of the listener
 * and the paths of the OpenAPI document are both made from these rows. No endpoint exists without its description.
 */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** As fastify writes it, `/event-hooks/:id`. Every path also exists under `/:workspace`. */
  readonly path: `/${string}`;
  readonly summary: string;
  /** The parameters in the query. Default: none. */
  readonly query?: readonly Json[];
  /** The body that the request has. Default: none. */
  readonly body?: Json;
  /** Every answer of this endpoint, by status. 401, 403, 405 and 503 are possible everywhere, and stand in no row. */
  readonly answers: Readonly<Record<number, Json>>;
  /** The body holds events: as large as the gRPC door takes them, numbers as they were written. Default: false. */
  readonly takesEvents?: boolean;
  /** Everybody may call it, whoever that is. Default: false. */
  readonly isOpen?: boolean;
  /** It changes or sends something. Default: what is not a GET does. */
  readonly acts?: boolean;
  /** The answer has no end, and so the path has no HEAD. Default: false. */
  readonly isEndless?: boolean;
  /** Returns what is sent as JSON, or the reply when it is sent already. `undefined` is a 204. */
  readonly handle: (api: Api, request: AdminRequest, reply: FastifyReply) => unknown;
}

/** What endpoints work with. */
export interface Api {
  readonly dispatcher: Dispatcher;
  /** Who may do what. */
  readonly access: Access;
  /** What has happened lately, for those who watch. */
  readonly live: RecentRows;
  /** The replays of many deliveries. */
  readonly replays: ReplayJobs;
  /** The plugin server that has started this dispatcher; null: none has. */
  readonly server: { read(): Promise<unknown> } | null;
  /** Who watches a Kong; null: nobody. */
  readonly watcher: { status(): { watching: boolean; kong: string } } | null;
  /** What waits for those who watch events and deliveries. */
  readonly tails: Backlog;
  /** The OpenAPI document of all endpoints. */
  readonly document: () => Json;
}

export type AdminRequest = FastifyRequest<{
  Params: Record<string, string>;
  Querystring: Record<string, unknown>;
}>;

/** A piece of the OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

/** Where the document keeps a schema. */
export const placeOf = (name: string): string => `#/components/schemas/${name}`;
export const ref = (name: ComponentName): Json => ({ $ref: placeOf(name) });

export const answer = (description: string, schema?: Json, type = 'application/json'): Json => ({
  description,
  ...(schema === undefined ? {} : { content: { [type]: { schema } } }),
});

export const query = (name: string, description: string, type = 'string'): Json => ({
  name,
  in: 'query',
  description,
  schema: { type },
});

/** The query of a path that answers in pages. */
export const paging: readonly Json[] = [
  query('size', 'Items per page, 1 to 1000 (default 100).', 'integer'),
  query('offset', 'From the page before.'),
];

/** Answers that many endpoints have. */
export const missing = { 404: answer('There is no such thing.', ref('Message')) };
export const invalid = {
  400: answer('The fields that are wrong, or why the body cannot be read.', {
    anyOf: [ref('SchemaViolation'), ref('Message')],
  }),
};

/** A body that is one JSON object, of fields that the endpoint checks by itself. */
export const objectBody: Json = { content: { 'application/json': { schema: { type: 'object' } } } };
