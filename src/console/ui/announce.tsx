import { signal } from '@preact/signals';
import type { JSX } from 'preact';

interface Said {
  readonly text: string;
  readonly bad: boolean;
  readonly number: number;
}

const said = signal<Said | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says what happened, to the eye and to a screen reader. What went wrong stays until it is closed. */
export function announce(text: string, { bad = false }: { bad?: boolean } = {}): void {
  clearTimeout(timer);
  said.value = { text, bad, number: (said.value?.number ?? 0) + 1 };
  if (!bad) timer = setTimeout(() => (said.value = null), 8000);
}

export function Announcements(): JSX.Element {
  const now = said.value;
  return (
    <div class="announcements" role="status" aria-live="polite">
      {now === null ? null : (
        <p key={now.number} class={`announcement ${now.bad ? 'bad' : ''}`}>
          <span>{now.text}</span>
          <button type="button" class="button quiet-button" onClick={() => (said.value = null)}>
            Close<span class="unseen"> this message</span>
          </button>
        </p>
      )}
    </div>
  );
}
