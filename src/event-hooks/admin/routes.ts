import type { FastifyReply, FastifyRequest } from 'fastify';

/** One path and what it does by method; every path also exists under `/{workspace}`. */
export type Routes = Record<string, Partial<Record<'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', Handler>>>;

export type Handler = (request: AdminRequest, reply: FastifyReply) => unknown;

export type AdminRequest = FastifyRequest<{
  Params: Record<string, string>;
  Querystring: Record<string, unknown>;
}>;
