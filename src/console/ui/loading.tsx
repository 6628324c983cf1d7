import type { ComponentChildren, JSX } from 'preact';
import type { Resource } from '../api/resource.ts';

interface LoadedProps<T> {
  readonly from: Resource<T>;
  /** What is being fetched, such as `the hooks`. */
  readonly what: string;
  readonly children: (value: T) => ComponentChildren;
}

/** What was fetched. While it is not known, it says so and why: no zero, no empty table stands for a failure. */
export function Loading<T>({ from: { now, reload }, what, children }: LoadedProps<T>): JSX.Element {
  return (
    <>
      {now.state === 'failed' ? (
        <div class="notice bad" role="alert">
          <p>
            <strong>Not known:</strong> {what} could not be read ({now.reason}).
            {now.value === null ? '' : ' What is shown is from before.'}
          </p>
          <button type="button" class="button" onClick={reload}>
            Try again
          </button>
        </div>
      ) : null}
      {now.value !== null ? children(now.value) : now.state === 'loading' ? <Waiting what={what} /> : null}
    </>
  );
}

const Waiting = ({ what }: { what: string }): JSX.Element => (
  <p class="waiting quiet" role="status">
    Reading {what}…
  </p>
);
