import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { reasonOf } from '../api/client.ts';

export interface Action {
  readonly busy: boolean;
  /** Why the last one failed. */
  readonly problem: string | null;
  readonly run: (work: () => Promise<void>) => void;
}

/** Something that a button starts: one at a time, and a failure says why. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  return {
    busy,
    problem,
    run: (work) => {
      setBusy(true);
      setProblem(null);
      work()
        .catch((error: unknown) => {
          setProblem(reasonOf(error));
        })
        .finally(() => {
          setBusy(false);
        });
    },
  };
}

export const Problem = ({ text, id }: { text: string | null; id?: string }): JSX.Element | null =>
  text === null ? null : (
    <p class="problem" role="alert" id={id}>
      {text}
    </p>
  );
