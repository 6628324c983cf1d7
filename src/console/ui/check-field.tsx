import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

interface CheckProps {
  readonly name: string;
  readonly checked: boolean;
  readonly onChecked: (checked: boolean) => void;
  readonly help?: string | undefined;
}

export function CheckField({ name, checked, onChecked, help }: CheckProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label class="check">
        <input
          type="checkbox"
          checked={checked}
          aria-describedby={help === undefined ? undefined : id}
          onChange={({ currentTarget }) => {
            onChecked(currentTarget.checked);
          }}
        />
        {name}
      </label>
      {help === undefined ? null : (
        <span class="help" id={id}>
          {help}
        </span>
      )}
    </div>
  );
}
