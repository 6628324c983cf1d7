import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Protocol } from '../../../../src/pdk/names/phases.ts';
import { expectNoUnhandledRejections } from '../../../support/no-unhandled.ts';
import { programs, runProgram } from '../../../support/random-programs.ts';

/** How many handlers are tried; `.ci/run` tries more. */
const programCount = Number(process.env['KONG_TS_MERGED_PROGRAMS'] ?? 2000);

type Events = Awaited<ReturnType<typeof runProgram>>['events'];

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
      { numRuns: programCount },
    );
    // Otherwise nothing was merged.
    expect(saved.protobuf).toBeGreaterThan(programCount / 8);
    expect(saved.msgpack).toBeGreaterThan(programCount / 8);
  },
);
