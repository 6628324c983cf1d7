import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Protocol } from '../../../../src/pdk/names/phases.ts';
import { expectNoUnhandledRejections } from '../../../support/no-unhandled.ts';
import { programs, runProgram } from '../../../support/random-programs.ts';
import type { Program } from '../../../support/random-programs.ts';

/** How many handlers are tried; `.ci/run` tries more. */
const programCount = Number(process.env['KONG_TS_MERGED_PROGRAMS'] ?? 500);
/** Chooses the programs; without it each run has others, and a failure prints the one it had. */
const seed = process.env['KONG_TS_MERGED_SEED'];

type Events = Awaited<ReturnType<typeof runProgram>>['events'];

/**
 * Calls that are made together once the answers of a plan are there. The query argument is worked out of the raw query: it
 * comes some promises after the answer, and was seen after the headers.
 */
const madeWhenAnswersAreThere: Program = {
  steps: [
    {
      do: 'try',
      steps: [
        {
          do: 'if',
          getter: { get: 'header', name: 'x_under' },
          steps: [
            {
              do: 'all',
              getters: [
                { get: 'queryArg', name: 'x-a' },
                { get: 'headers', name: 'x-a' },
              ],
            },
            { do: 'set', target: 'response', name: 'x-a', value: 'v' },
          ],
        },
        { do: 'try', steps: [{ do: 'get', getter: { get: 'header', name: 'x-a' } }] },
      ],
    },
  ],
  phase: 'access',
  sent: 288,
  filler: 0,
  piece: 1 << 20,
  events: 36,
};

/** Where Kong has failed at a call, how much more the plugin sees until it hears of that is a matter of moments. */
function sameMoments(events: Events, others: Events): Events {
  return events.map((event, at) =>
    event.end === 'raised' ? { ...event, seen: event.seen.slice(0, others[at]?.seen.length) } : event,
  );
}

expectNoUnhandledRejections();

test(
  'a handler sees the same values and errors, and does the same to request and response, merged and not',
  { timeout: 120_000 + programCount * 100 },
  async () => {
    const saved = { protobuf: 0, msgpack: 0 };
    await fc.assert(
      fc.asyncProperty(
        programs,
        fc.constantFrom<Protocol>('protobuf', 'msgpack'),
        async (program, protocol) => {
          const merged = await runProgram(program, protocol, true);
          const single = await runProgram(program, protocol, false);
          expect(sameMoments(merged.events, single.events)).toEqual(
            sameMoments(single.events, merged.events),
          );
          expect(merged.failed).toBe(single.failed);
          saved[protocol] += single.frames - merged.frames;
        },
      ),
      {
        numRuns: programCount,
        examples: [[madeWhenAnswersAreThere, 'protobuf']],
        ...(seed === undefined ? {} : { seed: Number(seed) }),
      },
    );
    // Otherwise nothing was merged.
    expect(saved.protobuf).toBeGreaterThan(programCount / 8);
    expect(saved.msgpack).toBeGreaterThan(programCount / 8);
  },
);
