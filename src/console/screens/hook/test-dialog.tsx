import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { testHook } from '../../api/hooks.ts';
import type { Hook, TestResult } from '../../api/types.ts';
import { sampleOf } from '../../api/samples.ts';
import { subject, target } from '../../model/hook-text.ts';
import { visible } from '../../text/visible.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { AreaField } from '../../ui/fields.tsx';
import { Outcome } from '../../ui/outcome.tsx';
import { Problem, useAction } from '../../ui/use-action.tsx';

/** Runs a hook's handler now on fields that the reader may change, and shows what came of it. */
export function TestDialog({ hook, onClose }: { hook: Hook; onClose: () => void }): JSX.Element {
  const [text, setText] = useState('{}');
  const [result, setResult] = useState<TestResult['result'] | null>(null);
  const action = useAction();
  useEffect(() => {
    void sampleOf(hook.source, hook.event).then((sample) => {
      setText((now) => (now === '{}' ? sample : now));
    });
  }, []);
  const send = (event: Event): void => {
    event.preventDefault();
    setResult(null);
    action.run(async () => {
      setResult((await testHook(hook.id, text)).result);
    });
  };
  return (
    <Dialog title="Send a test" onClose={onClose}>
      <form class="stack" onSubmit={send}>
        <p>
          <strong>{visible(subject(hook))}</strong> to {visible(target(hook))}. It is sent now, once, and not
          recorded as a delivery.
        </p>
        <AreaField name="The event's fields, as JSON" rows={9} value={text} onValue={setText} />
        <Problem text={action.problem} />
        {result === null ? null : <Outcome result={result} />}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" class="button main" disabled={action.busy}>
            {action.busy ? 'Sending…' : 'Send the test'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
