import type { JSX } from 'preact';
import type { ReplayJob } from '../../api/types.ts';
import { count, plural } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import { Badge } from '../../ui/marks.tsx';
import type { Tone } from '../../ui/marks.tsx';

const tones: Readonly<Record<ReplayJob['state'], Tone>> = {
  counting: 'plain',
  ready: 'plain',
  running: 'wait',
  stopped: 'plain',
  done: 'good',
  failed: 'bad',
};

/** How far a replay is, as a bar and in words. */
export function JobProgress({ job }: { job: ReplayJob }): JSX.Element {
  const { state, total, found, replayed, delivered, failed, passed_over: passedOver, looked, error } = job;
  return (
    <div class="stack tight">
      <div class="row">
        <Badge tone={tones[state]}>{state}</Badge>
        <span role="status">
          {state === 'counting'
            ? `${count(found)} found, ${plural(looked, 'delivery', 'deliveries')} looked at…`
            : `${count(replayed)} of ${total === null ? 'not known how many' : count(total)} sent again`}
        </span>
      </div>
      {state === 'counting' ? (
        <progress class="progress" aria-label="Counting" />
      ) : (
        <progress
          class="progress"
          aria-label="Replayed"
          max={Math.max(1, total ?? 1)}
          value={replayed + passedOver}
        />
      )}
      {state === 'counting' ? null : (
        <p class="quiet small">
          {delivered === null || failed === null
            ? 'How they ended is not followed: they are too many.'
            : `${count(delivered)} delivered, ${count(failed)} failed again`}
          {passedOver > 0 ? `, ${count(passedOver)} were gone or on their way already` : ''}
        </p>
      )}
      {error === null ? null : <p class="problem">{visible(error)}</p>}
    </div>
  );
}
