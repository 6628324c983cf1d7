import { randomBytes } from 'node:crypto';
import { HookInvalidError } from '../model/errors.ts';
import type { Hook } from '../model/hook.ts';
import type { RotatedAnswer } from './answers.ts';
import { answer, invalid, missing, objectBody, ref } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { hookOf, notFound } from './hooks.ts';

const defaultOverlap = 86_400;
const longestOverlap = 30 * 86_400;
/** As many previous secrets as a hook may have. */
const mostPrevious = 8;

export const rotateEndpoints: readonly Endpoint[] = [
  {
    method: 'POST',
    path: '/event-hooks/:id/rotate-secret',
    summary: 'Give a hook a new secret; the old one signs beside it for a while',
    body: objectBody,
    answers: { 200: answer('The new secret.', ref('Rotated')), ...missing, ...invalid },
    handle: async ({ dispatcher }, request, reply) => {
      const known = hookOf(dispatcher, request);
      if (known === null) return notFound(reply);
      if (dispatcher.kinds.get(known.handler)?.config.shape.previous_secrets_until === undefined)
        throw new HookInvalidError([
          { path: 'handler', text: `the handler '${known.handler}' has no secret` },
        ]);
      const { secret, overlap } = readRotation((request.body ?? {}) as Record<string, unknown>);
      const now = Math.floor(dispatcher.options.clock.now() / 1000);
      const hook = await dispatcher.hooks.patch(known.id, (current) => ({
        config: rotated(current, secret, now, overlap),
      }));
      if (hook === null) return notFound(reply);
      const until = (hook.config.previous_secrets_until as number | undefined) ?? null;
      return { event_hook: { id: hook.id }, secret, previous_secrets_until: until } satisfies RotatedAnswer;
    },
  },
];

/** The fields of the configuration that change. Previous secrets whose time is over go. */
function rotated({ config }: Hook, secret: string, now: number, overlap: number): Record<string, unknown> {
  const before = typeof config.secret === 'string' && config.secret !== secret ? [config.secret] : [];
  const until = config.previous_secrets_until as number | undefined;
  const older = until === undefined || until > now ? ((config.previous_secrets ?? []) as string[]) : [];
  const previous = [...before, ...older.filter((one) => one !== secret)].slice(0, mostPrevious);
  const isKept = overlap > 0 && previous.length > 0;
  return {
    secret,
    previous_secrets: isKept ? previous : null,
    previous_secrets_until: isKept ? now + overlap : null,
  };
}

function readRotation(body: Readonly<Record<string, unknown>>): { secret: string; overlap: number } {
  const unknown = Object.keys(body).filter((name) => name !== 'secret' && name !== 'overlap_seconds');
  if (unknown.length > 0)
    throw new HookInvalidError(unknown.map((path) => ({ path, text: 'unknown field' })));
  const { secret, overlap_seconds: seconds } = body;
  if (secret != null && (typeof secret !== 'string' || secret === ''))
    throw new HookInvalidError([{ path: 'secret', text: 'expected a string' }]);
  // A form has texts. Number() would take an empty one, or a list, for 0: the old secret would end at once.
  const given = typeof seconds === 'number' || (typeof seconds === 'string' && seconds !== '');
  const overlap = seconds == null ? defaultOverlap : given ? Number(seconds) : NaN;
  if (!Number.isInteger(overlap) || overlap < 0 || overlap > longestOverlap)
    throw new HookInvalidError([
      { path: 'overlap_seconds', text: `expected an integer from 0 to ${String(longestOverlap)}` },
    ]);
  return { secret: secret ?? `whsec_${randomBytes(24).toString('base64')}`, overlap };
}
