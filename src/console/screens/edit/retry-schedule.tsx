import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { CheckField } from '../../ui/check-field.tsx';
import { TextField } from '../../ui/fields.tsx';
import type { Form } from './form.ts';
import { help } from './help.ts';

/** Seconds between attempts. An empty list is no retry, an empty text the dispatcher's own schedule. */
export function RetrySchedule({ form: { draft, set, problem } }: { form: Form }): JSX.Element {
  const stored = draft['retry_schedule'];
  const [text, setText] = useState(Array.isArray(stored) ? stored.join(', ') : '');
  const never = Array.isArray(stored) && stored.length === 0;
  const [wrong, setWrong] = useState(false);
  const change = (next: string): void => {
    setText(next);
    const parts = next.split(',').map((part) => part.trim());
    const numbers = parts.map(Number);
    const isWrong = next.trim() !== '' && (parts.includes('') || numbers.some(Number.isNaN));
    setWrong(isWrong);
    if (!isWrong) set('retry_schedule', next.trim() === '' ? undefined : numbers);
  };
  return (
    <>
      <CheckField
        name="No retries: what fails once is a dead letter"
        checked={never}
        onChecked={(checked) => {
          setText('');
          setWrong(false);
          set('retry_schedule', checked ? [] : undefined);
        }}
      />
      {never ? null : (
        <TextField
          name="Retries"
          help={help['retry_schedule']}
          problem={wrong ? 'expected seconds with commas between them' : problem('retry_schedule')}
          value={text}
          onValue={change}
        />
      )}
    </>
  );
}
