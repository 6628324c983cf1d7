import type { Kong } from 'kong-ts';
import { describe, expect, it } from 'vitest';
import { Arrivals } from '../../../plugins/http-log-enterprise/arrivals.ts';
import { createRecorder } from '../../../plugins/http-log-enterprise/metrics.ts';
import { patienceMs, Turns } from '../../../plugins/http-log-enterprise/queue/turns.ts';
import type { RecordPipeline } from '../../../plugins/http-log-enterprise/record/pipeline.ts';
import { Reports } from '../../../plugins/http-log-enterprise/reports.ts';
import { memoryLog, memoryMetrics } from './support/instance.ts';
import { ManualClock } from './support/manual-clock.ts';

/** A log event whose record comes when the test says so. */
function event(): {
  kong: Kong<'log', 'protobuf'>;
  answer: (record: string) => void;
  fail: (reason: string) => void;
} {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return {
    kong: { log: { serializeRaw: () => promise } } as unknown as Kong<'log', 'protobuf'>,
    answer: resolve,
    fail: (reason) => reject(new Error(reason)),
  };
}

const asItCame: RecordPipeline = {
  wantsAuthorization: false,
  prepare: (raw) => (raw === 'filtered' ? null : Buffer.from(raw)),
  event: (raw) => ({ raw }),
  close: () => Promise.resolve(),
};

function arrivals(inOrder: boolean) {
  const clock = new ManualClock();
  const { log, lines } = memoryLog();
  const recorder = createRecorder(memoryMetrics().metrics, {
    queueLength: () => 0,
    queueBytes: () => 0,
    spoolBytes: () => 0,
  });
  const accepted: string[] = [];
  const taker = new Arrivals({
    pipeline: asItCame,
    reports: new Reports(log, clock, 60_000),
    recorder,
    turns: inOrder ? new Turns(clock) : null,
    isLast: false,
    emit: () => undefined,
    accept: (bytes) => {
      accepted.push(bytes.toString());
      return Promise.resolve();
    },
  });
  return {
    clock,
    lines,
    counts: recorder.counts,
    accepted,
    take: (kong: Kong<'log', 'protobuf'>) => taker.take(kong),
  };
}

describe('records that come', () => {
  it('go on as they come, where no order is kept', async () => {
    const { accepted, take } = arrivals(false);
    const [first, second] = [event(), event()];
    const ends = [take(first.kong), take(second.kong)];
    second.answer('2');
    await ends[1];
    first.answer('1');
    await Promise.all(ends);
    expect(accepted).toEqual(['2', '1']);
  });

  it('go on in the order in which their events began, where order is kept', async () => {
    const { accepted, take } = arrivals(true);
    const events = Array.from({ length: 20 }, event);
    const ends = events.map(({ kong }) => take(kong));
    events.toReversed().forEach(({ answer }, i) => answer(i === 7 ? 'filtered' : String(19 - i)));
    await Promise.all(ends);
    expect(accepted).toEqual(Array.from({ length: 20 }, (_, n) => String(n)).filter((n) => n !== '12'));
  });

  it('do not wait for one that Kong has not given after a second, nor for one that fails', async () => {
    const { accepted, clock, take } = arrivals(true);
    const [late, failed, third] = [event(), event(), event()];
    const ends = [take(late.kong), take(failed.kong), take(third.kong)];
    third.answer('3');
    failed.fail('gone');
    await clock.advance(patienceMs - 1);
    expect(accepted).toEqual([]);
    await clock.advance(1);
    await Promise.all(ends.slice(1));
    expect(accepted).toEqual(['3']);
    late.answer('1');
    await Promise.all(ends);
    expect(accepted).toEqual(['3', '1']);
  });
});

it('a record that Kong gives up is counted, and told in one line per interval', async () => {
  const { counts, lines, take } = arrivals(false);
  for (const reason of ['Kong has ended the log phase', 'no answer', 'no answer']) {
    const given = event();
    const end = take(given.kong);
    given.fail(reason);
    await end;
  }
  expect([counts.unreceived, counts.received]).toEqual([3, 0]);
  expect(lines).toEqual([
    {
      level: 'error',
      message: 'Kong did not give the record of a request: Kong has ended the log phase',
      fields: { records: 1 },
    },
  ]);
});
