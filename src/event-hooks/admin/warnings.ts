import type { FastifyReply } from 'fastify';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import type { Hook } from '../model/hook.ts';
import type { Json } from './endpoint.ts';

/** A header is read by others, too: each text is cut at so many characters. */
const maxText = 512;

/**
 * Says in `Warning` headers what is right about a saved hook and will disappoint all the same. The body is the hook as
 * Kong answers it. kubectl has its warnings in the same way.
 */
export async function warn(dispatcher: Dispatcher, hook: Hook, reply: FastifyReply): Promise<Hook> {
  const texts = await dispatcher.warnings(hook);
  if (texts.length > 0) void reply.header('warning', texts.map(headerOf).join(', '));
  return hook;
}

/** One value: a quoted string in ASCII. Other characters are written as JSON escapes them. */
function headerOf(text: string): string {
  const cut = text.length > maxText ? `${text.slice(0, maxText)}...` : text;
  const quoted = JSON.stringify(cut).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `299 kong-ts ${quoted}`;
}

/** The same for the OpenAPI document. */
export const warningHeader: Json = {
  headers: {
    Warning: {
      description:
        'Why the hook may never fire, or never arrive: `299 kong-ts "text"`, separated by commas. Absent without a reason.',
      schema: { type: 'string' },
    },
  },
};
