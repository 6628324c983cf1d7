import type { JSX } from 'preact';
import { reasonOf } from '../../api/client.ts';
import { isMoving, listReplays, stopReplay } from '../../api/replays.ts';
import { useResource } from '../../api/resource.ts';
import { mayWrite } from '../../api/session.ts';
import { announce } from '../../ui/announce.tsx';
import { Loading } from '../../ui/loading.tsx';
import { Time } from '../../ui/marks.tsx';
import { JobProgress } from './job-progress.tsx';

/** Replays of this dispatcher, whoever has started them. */
export function Jobs(): JSX.Element {
  const jobs = useResource('replays', listReplays, { everyMs: 2000 });
  const stop = async (id: string): Promise<void> => {
    try {
      await stopReplay(id);
      jobs.reload();
    } catch (error) {
      announce(`It could not be stopped: ${reasonOf(error)}.`, { bad: true });
    }
  };
  return (
    <Loading from={jobs} what="the replays">
      {(all) => {
        const shown = all.filter(({ state }) => state !== 'ready' && state !== 'counting').slice(0, 5);
        if (shown.length === 0) return null;
        return (
          <section class="card stack" aria-labelledby="replays">
            <h2 id="replays">Replays</h2>
            <ul class="jobs">
              {shown.map((job) => (
                <li key={job.id} class="job">
                  <JobProgress job={job} />
                  <div class="row small quiet">
                    <Time at={job.created_at * 1000} />
                    {isMoving(job) && mayWrite.value ? (
                      <button type="button" class="button small-button" onClick={() => void stop(job.id)}>
                        Stop
                      </button>
                    ) : null}
                  </div>
                </li>
              ))}
            </ul>
          </section>
        );
      }}
    </Loading>
  );
}
