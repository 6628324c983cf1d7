import type { Entity } from '../../kong-end/index.ts';
import type { Answer, Context } from './types.ts';

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const noContent: Answer = { status: 204 };
export const message = (status: number, text: string): Answer => ({ status, body: { message: text } });
export const notFound = message(404, 'Not found');
export const unexpected = message(500, 'An unexpected error occurred');
export const methodNotAllowed = message(405, 'Method not allowed');

/** An entity as Kong shows it: without its workspace. An entity from a file shows no ttl unless it has one. */
export function shown(entity: Entity, declared = false): Record<string, unknown> {
  const { ws_id: _workspace, ...rest } = entity;
  if (declared && rest['ttl'] === null) delete rest['ttl'];
  return rest;
}

/** A list as Kong shows it; `path` is where its next page is. */
export function listed(
  context: Context,
  data: unknown[],
  offset: string | undefined,
  path: string,
  more = '',
): Answer {
  if (offset === undefined) return ok({ data, next: null });
  const next = `${context.prefix}${path}?offset=${encodeURIComponent(offset)}${more}`;
  return ok({ data, offset, next });
}
