import type { JSX } from 'preact';
import { seesPayloads } from '../../api/session.ts';
import type { Received, SignatureState } from '../../api/types.ts';
import { parseJson } from '../../text/exact-json.ts';
import { bytes } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import { JsonView } from '../../ui/json-view.tsx';
import { Badge, Time } from '../../ui/marks.tsx';
import type { Tone } from '../../ui/marks.tsx';

export const ReceivedList = ({ all }: { all: readonly Received[] }): JSX.Element => (
  <ol class="received" aria-label="What has arrived, the latest first">
    {all.map((one) => (
      <li key={`${one.id} ${String(one.at)}`} class="card stack">
        <One received={one} />
      </li>
    ))}
  </ol>
);

function One({ received }: { received: Received }): JSX.Element {
  const { id, at, method, path, headers, body, bytes: size, body_cut: isCut, signature } = received;
  return (
    <>
      <div class="row spread">
        <h2 class="received-title">
          {method} {visible(path)}
        </h2>
        <span class="quiet small">
          <Time at={at * 1000} />, {bytes(size)}
        </span>
      </div>
      <div class="row">
        <Signature name="webhook-signature" state={signature.standard} />
        <Signature name="x-kong-signature" state={signature.kong} />
        {signature.reason === null ? null : <span class="quiet small">{visible(signature.reason)}</span>}
      </div>
      <p class="small">
        webhook-id <span class="mono">{visible(id)}</span>
      </p>
      <Body body={body} isCut={isCut} />
      <details class="as-table">
        <summary>Headers</summary>
        <pre class="answer">
          {Object.entries(headers)
            .map(([name, value]) => `${visible(name)}: ${visible(value)}`)
            .join('\n')}
        </pre>
      </details>
    </>
  );
}

const tones: Readonly<Record<SignatureState, Tone>> = {
  valid: 'good',
  invalid: 'bad',
  absent: 'plain',
  unknown: 'wait',
};

const Signature = ({ name, state }: { name: string; state: SignatureState }): JSX.Element => (
  <Badge tone={tones[state]}>{`${name}: ${state === 'unknown' ? 'not known' : state}`}</Badge>
);

function Body({ body, isCut }: { body: string | null; isCut: boolean }): JSX.Element {
  if (body === null || !seesPayloads.value) return <p class="quiet">Payloads are not shown to you.</p>;
  if (body === '') return <p class="quiet">It has no body.</p>;
  const json = isCut ? undefined : jsonOf(body);
  if (json !== undefined) return <JsonView value={json} label="Body" copy />;
  return (
    <>
      {isCut ? <p class="quiet small">Only its beginning is kept.</p> : null}
      <pre class="answer">{visible(body)}</pre>
    </>
  );
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
