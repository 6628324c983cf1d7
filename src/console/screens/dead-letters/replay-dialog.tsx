import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isMoving, planReplay, readReplay, startReplay, stopReplay } from '../../api/replays.ts';
import type { ReplayRequest } from '../../api/replays.ts';
import type { ReplayJob } from '../../api/types.ts';
import { count, plural } from '../../text/format.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Problem, useAction } from '../../ui/use-action.tsx';
import type { Action } from '../../ui/use-action.tsx';
import { JobProgress } from './job-progress.tsx';

interface ReplayDialogProps {
  readonly request: ReplayRequest;
  /** What is asked for, such as `all dead letters of the last hour`. */
  readonly what: string;
  readonly onClose: () => void;
}

const pollMs = 400;

/** The number first, then the progress, then the result. */
export function ReplayDialog({ request, what, onClose }: ReplayDialogProps): JSX.Element {
  const [job, setJob] = useState<ReplayJob | null>(null);
  const action = useAction();
  useEffect(() => {
    action.run(async () => {
      setJob(await planReplay(request));
    });
  }, []);
  useEffect(() => {
    if (job === null || !isMoving(job)) return undefined;
    const timer = setTimeout(() => {
      action.run(async () => {
        setJob(await readReplay(job.id));
      });
    }, pollMs);
    return () => {
      clearTimeout(timer);
    };
  }, [job]);
  const close = (): void => {
    // What only counts is of use to nobody else. What replays goes on, and is shown on the page.
    if (job !== null && (job.state === 'counting' || job.state === 'ready'))
      void stopReplay(job.id).catch(() => undefined);
    onClose();
  };
  return (
    <Dialog title="Replay" onClose={close}>
      <p>{what}</p>
      <Problem text={action.problem} />
      {job === null ? (
        action.problem === null ? (
          <p class="quiet">Counting…</p>
        ) : null
      ) : (
        <JobState job={job} />
      )}
      <Buttons job={job} action={action} onJob={setJob} onClose={close} />
    </Dialog>
  );
}

function JobState({ job }: { job: ReplayJob }): JSX.Element {
  if (job.state === 'ready') {
    return (
      <p role="status">
        {job.total === 0 ? (
          'Nothing matches: there is nothing to replay.'
        ) : (
          <>
            <strong>{plural(job.total ?? 0, 'delivery', 'deliveries')}</strong> will be sent again, each with
            one more attempt. Receivers see the same webhook-id as before.
          </>
        )}
      </p>
    );
  }
  return <JobProgress job={job} />;
}

interface ButtonsProps {
  readonly job: ReplayJob | null;
  readonly action: Action;
  readonly onJob: (job: ReplayJob) => void;
  readonly onClose: () => void;
}

function Buttons({ job, action, onJob, onClose }: ButtonsProps): JSX.Element {
  const isOver = job !== null && !isMoving(job) && job.state !== 'ready';
  return (
    <div class="row end">
      <button type="button" class="button" onClick={onClose}>
        {isOver || job?.total === 0 ? 'Close' : job?.state === 'running' ? 'Let it go on' : 'Cancel'}
      </button>
      {job?.state === 'ready' && job.total !== 0 ? (
        <button
          type="button"
          class="button main"
          disabled={action.busy}
          onClick={() => {
            action.run(async () => {
              onJob(await startReplay(job.id));
            });
          }}
        >
          {`Replay ${count(job.total ?? 0)}`}
        </button>
      ) : null}
      {job?.state === 'running' ? (
        <button
          type="button"
          class="button danger"
          onClick={() => {
            action.run(async () => {
              onJob(await stopReplay(job.id));
            });
          }}
        >
          Stop
        </button>
      ) : null}
    </div>
  );
}
