import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RotatedAnswer } from '../../../event-hooks/admin/answers.ts';
import { rotateSecret } from '../../api/hooks.ts';
import type { Hook } from '../../api/types.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ChoiceField, TextField } from '../../ui/fields.tsx';
import { Time } from '../../ui/marks.tsx';
import { Problem, useAction } from '../../ui/use-action.tsx';

const overlaps: readonly (readonly [seconds: string, name: string])[] = [
  ['3600', 'for one hour'],
  ['86400', 'for one day'],
  ['604800', 'for seven days'],
  ['2592000', 'for 30 days'],
  ['0', 'not at all: at once'],
];

/** Gives a hook a new secret, while receivers go on accepting the old one for a time. */
export function RotateDialog({ hook, onClose }: { hook: Hook; onClose: () => void }): JSX.Element {
  const [rotated, setRotated] = useState<RotatedAnswer | null>(null);
  return (
    <Dialog title={rotated === null ? 'A new secret' : 'The secret has changed'} onClose={onClose}>
      {rotated === null ? (
        <RotateForm hook={hook} onRotated={setRotated} onClose={onClose} />
      ) : (
        <RotatedFacts rotated={rotated} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface FormProps {
  readonly hook: Hook;
  readonly onRotated: (rotated: RotatedAnswer) => void;
  readonly onClose: () => void;
}

function RotateForm({ hook, onRotated, onClose }: FormProps): JSX.Element {
  const [secret, setSecret] = useState('');
  const [overlap, setOverlap] = useState('86400');
  const action = useAction();
  const submit = (event: Event): void => {
    event.preventDefault();
    action.run(async () => {
      onRotated(await rotateSecret(hook.id, secret, Number(overlap)));
    });
  };
  return (
    <form class="stack" onSubmit={submit}>
      <TextField
        name="New secret"
        value={secret}
        onValue={setSecret}
        help="Leave it empty to have one made. It is shown once."
      />
      <ChoiceField
        name="The old secret goes on signing"
        value={overlap}
        options={overlaps}
        onValue={setOverlap}
      />
      <Problem text={action.problem} />
      <div class="row end">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="button main" disabled={action.busy}>
          Change the secret
        </button>
      </div>
    </form>
  );
}

const RotatedFacts = ({ rotated, onClose }: { rotated: RotatedAnswer; onClose: () => void }): JSX.Element => (
  <div class="stack" role="status">
    <p>Give it to the receiver now. The page does not show it again.</p>
    <pre class="answer">{rotated.secret}</pre>
    <p>
      {rotated.previous_secrets_until === null ? (
        'Deliveries are signed with the new secret only.'
      ) : (
        <>
          Deliveries are signed with both until <Time at={rotated.previous_secrets_until * 1000} absolute />.
        </>
      )}
    </p>
    <div class="row end">
      <CopyButton text={rotated.secret} what="the secret" />
      <button type="button" class="button main" onClick={onClose}>
        Done
      </button>
    </div>
  </div>
);
