import type { JSX } from 'preact';
import type { TestResult } from '../api/types.ts';
import { visible } from '../text/visible.ts';
import { Badge } from './marks.tsx';

/** What a handler's run came to. */
export function Outcome({ result }: { result: TestResult['result'] }): JSX.Element {
  if (typeof result === 'boolean') {
    return (
      <div class="outcome" role="status">
        <Badge tone={result ? 'good' : 'bad'}>{result ? 'it ran' : 'it failed'}</Badge>
      </div>
    );
  }
  if ('error' in result) {
    return (
      <div class="outcome" role="status">
        <Badge tone="bad">failed</Badge> {visible(result.error)}
      </div>
    );
  }
  const { status, body } = result;
  return (
    <div class="outcome stack tight" role="status">
      <div>
        <Badge tone={status >= 200 && status < 300 ? 'good' : 'bad'}>{`answered ${String(status)}`}</Badge>
      </div>
      {body === '' ? null : <pre class="answer">{visible(body)}</pre>}
    </div>
  );
}
