import type { JSX } from 'preact';
import { streamState } from '../api/stream.ts';

interface LiveSwitchProps {
  readonly live: boolean;
  /** Why it cannot be live; null: it can. */
  readonly why?: string | null;
  readonly onSwitch: (live: boolean) => void;
}

const words = { open: 'live', connecting: 'connecting…', closed: 'not connected' } as const;

/** Whether rows come in by themselves, and the button that changes it. */
export function LiveSwitch({ live, why = null, onSwitch }: LiveSwitchProps): JSX.Element {
  const state = streamState.value;
  return (
    <>
      <span class="small quiet">
        <span class={`dot ${live && state === 'open' ? 'on' : ''}`} aria-hidden="true" />{' '}
        {why ?? (live ? words[state] : 'paused')}
      </span>
      {why === null ? (
        <button
          type="button"
          class="button small-button"
          onClick={() => {
            onSwitch(!live);
          }}
        >
          {live ? 'Pause' : 'Go on'}
        </button>
      ) : null}
    </>
  );
}
