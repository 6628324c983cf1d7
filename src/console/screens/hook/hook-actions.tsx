import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { reasonOf } from '../../api/client.ts';
import { deleteHook, patchHook, pingHook } from '../../api/hooks.ts';
import type { Hook } from '../../api/types.ts';
import { isOn, subject, target } from '../../model/hook-text.ts';
import { href } from '../../router.ts';
import { visible } from '../../text/visible.ts';
import { announce } from '../../ui/announce.tsx';
import { Question } from '../../ui/dialog.tsx';
import { Menu } from '../../ui/menu.tsx';
import { TestDialog } from './test-dialog.tsx';

interface ActionsProps {
  readonly hook: Hook;
  readonly onChange: () => void;
  readonly onDeleted?: () => void;
}

/** What can be done with a hook, wherever it is shown. */
export function HookActions({ hook, onChange, onDeleted = onChange }: ActionsProps): JSX.Element {
  const [open, setOpen] = useState<'test' | 'delete' | null>(null);
  const close = (): void => {
    setOpen(null);
  };
  return (
    <>
      <Menu of={subject(hook)}>
        <button type="button" class="button" onClick={() => void switchHook(hook).then(onChange)}>
          {isOn(hook) ? 'Switch off' : 'Switch on'}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            setOpen('test');
          }}
        >
          Send a test…
        </button>
        {'url' in hook.config ? (
          <button type="button" class="button" onClick={() => void ping(hook)}>
            Ping
          </button>
        ) : null}
        <a class="button" href={href(['hooks', hook.id, 'edit'])}>
          Edit
        </a>
        <button
          type="button"
          class="button"
          onClick={() => {
            setOpen('delete');
          }}
        >
          Delete…
        </button>
      </Menu>
      {open === 'test' ? <TestDialog hook={hook} onClose={close} /> : null}
      {open === 'delete' ? <DeleteQuestion hook={hook} onClose={close} onDeleted={onDeleted} /> : null}
    </>
  );
}

async function switchHook(hook: Hook): Promise<void> {
  const on = isOn(hook);
  try {
    await patchHook(hook.id, { enabled: !on });
    announce(`${subject(hook)} is switched ${on ? 'off' : 'on'}.`);
  } catch (error) {
    announce(`The hook could not be switched: ${reasonOf(error)}.`, { bad: true });
  }
}

async function ping(hook: Hook): Promise<void> {
  announce(`Pinging ${target(hook)}…`);
  try {
    await pingHook(hook.id);
    announce(`The target of ${subject(hook)} answered the ping.`);
  } catch (error) {
    announce(`${reasonOf(error)}.`, { bad: true });
  }
}

interface DeleteProps {
  readonly hook: Hook;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

function DeleteQuestion({ hook, onClose, onDeleted }: DeleteProps): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    try {
      await deleteHook(hook.id);
      onClose();
      announce(`${subject(hook)} is deleted.`);
      onDeleted();
    } catch (error) {
      setProblem(`It could not be deleted: ${reasonOf(error)}.`);
      setBusy(false);
    }
  };
  return (
    <Question
      title="Delete this hook?"
      action="Delete the hook"
      danger
      busy={busy}
      problem={problem}
      onConfirm={() => void confirm()}
      onClose={onClose}
    >
      <p>
        <strong>{visible(subject(hook))}</strong> to {visible(target(hook))}
      </p>
      <p>Its deliveries and dead letters go with it. To keep them, switch it off instead.</p>
    </Question>
  );
}
