import type { JSX } from 'preact';
import { announce } from './announce.tsx';

interface CopyProps {
  /** What is copied; a function is asked when it is. */
  readonly text: string | (() => string);
  /** What it is, such as `the delivery's id`. */
  readonly what: string;
  readonly label?: string;
}

export function CopyButton({ text, what, label = 'Copy' }: CopyProps): JSX.Element {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(typeof text === 'function' ? text() : text);
      announce(`Copied ${what}.`);
    } catch {
      // Browsers give the clipboard to secure pages only: https, or this machine.
      announce('The browser does not let this page copy. Select the text and copy it by hand.', {
        bad: true,
      });
    }
  };
  return (
    <button type="button" class="button small-button" onClick={() => void copy()}>
      {label}
      <span class="unseen"> {what}</span>
    </button>
  );
}
