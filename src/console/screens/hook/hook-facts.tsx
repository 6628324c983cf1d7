import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { mayWrite } from '../../api/session.ts';
import type { Hook } from '../../api/types.ts';
import { target } from '../../model/hook-text.ts';
import { span } from '../../text/format.ts';
import { Breaks } from '../../ui/breaks.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Time } from '../../ui/marks.tsx';
import { OnOff } from '../hooks/hook-table.tsx';
import { RotateDialog } from './rotate-dialog.tsx';

export function HookFacts({ hook, onChange }: { hook: Hook; onChange: () => void }): JSX.Element {
  return (
    <dl class="facts">
      <Fact name="State">
        <OnOff hook={hook} />
      </Fact>
      <Fact name="Handler">{hook.handler}</Fact>
      <Fact name="Target">
        <Breaks text={target(hook)} />
      </Fact>
      {'secret' in hook.config ? (
        <Fact name="Signature">
          <Signature hook={hook} onChange={onChange} />
        </Fact>
      ) : null}
      <Fact name="Filter">
        {hook.filter === undefined ? (
          <span class="quiet">none: every event fires</span>
        ) : (
          <JsonView value={hook.filter} label="Filter" />
        )}
      </Fact>
      {hook.on_change === true ? (
        <Fact name="On change">fires only when the payload differs from the last one</Fact>
      ) : null}
      {hook.snooze === null ? null : (
        <Fact name="Snooze">{span(hook.snooze * 1000)} of silence after a firing</Fact>
      )}
      {hook.concurrency === undefined ? null : <Fact name="At a time">{hook.concurrency} deliveries</Fact>}
      {hook.rate === undefined ? null : <Fact name="Rate">at most {hook.rate} a second</Fact>}
      {hook.retry_schedule === undefined ? null : <Fact name="Retries">{retries(hook.retry_schedule)}</Fact>}
      <Fact name="Changed">
        <Time at={hook.updated_at * 1000} />, made <Time at={hook.created_at * 1000} />
      </Fact>
    </dl>
  );
}

const retries = (schedule: readonly number[]): string =>
  schedule.length === 0 ? 'none' : `after ${schedule.map((seconds) => span(seconds * 1000)).join(', ')}`;

const Fact = ({ name, children }: { name: string; children: ComponentChildren }): JSX.Element => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);

function Signature({ hook, onChange }: { hook: Hook; onChange: () => void }): JSX.Element {
  const [open, setOpen] = useState(false);
  const { secret, previous_secrets: previous, previous_secrets_until: until, signature } = hook.config;
  const isRotating = Array.isArray(previous) && previous.length > 0;
  return (
    <div class="stack tight">
      <span>
        {secret === null ? 'not signed' : `signed, HMAC ${signature === 'sha1' ? 'SHA-1' : 'SHA-256'}`}
        {isRotating ? '; the old secret signs, too' : ''}
        {isRotating && typeof until === 'number' ? (
          <>
            , until <Time at={until * 1000} absolute />
          </>
        ) : null}
      </span>
      {mayWrite.value ? (
        <div>
          <button
            type="button"
            class="button small-button"
            onClick={() => {
              setOpen(true);
            }}
          >
            {secret === null ? 'Sign with a secret…' : 'Rotate the secret…'}
          </button>
        </div>
      ) : null}
      {open ? (
        <RotateDialog
          hook={hook}
          onClose={() => {
            setOpen(false);
            onChange();
          }}
        />
      ) : null}
    </div>
  );
}
