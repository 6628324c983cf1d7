import { describe, expect, it } from 'vitest';
import { FailingHooks } from '../../../src/event-hooks/delivery/failing.ts';
import type { HookLog } from '../../../src/event-hooks/log.ts';
import type { Hook } from '../../../src/event-hooks/model/hook.ts';
import type { AttemptResult } from '../../../src/event-hooks/store/types.ts';

function watched(): { lines: string[]; failing: FailingHooks } {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  const log: HookLog = { info: at('info'), notice: at('notice'), warn: at('warn'), error: at('error') };
  return { lines, failing: new FailingHooks(log) };
}

const hook = (id: string): Hook =>
  ({ id, source: 's', event: 'e', handler: 'webhook', config: {} }) as unknown as Hook;

const result = (state: AttemptResult['state'], finishedAt: number): AttemptResult => ({
  hookId: 'h',
  seq: 1,
  state,
  attempts: 1,
  epoch: 1,
  due: finishedAt + 5000,
  finishedAt,
  status: state === 'delivered' ? 200 : 503,
  latencyMs: 1,
  error: state === 'delivered' ? null : 'status 503',
  response: null,
});

describe('a hook that fails', () => {
  it('is said once, and once more when it works again', () => {
    const { lines, failing } = watched();
    failing.attempted(hook('h'), result('delivered', 0));
    for (let at = 1000; at < 1100; at++) failing.attempted(hook('h'), result('waiting', at));
    for (let at = 2000; at < 2100; at++) failing.attempted(hook('h'), result('delivered', at));
    expect(lines).toEqual([
      'warn an event hook fails {"hook":"h","source":"s","event":"e","handler":"webhook","status":503,"error":"status 503","nextTryInMs":5000}',
      'notice an event hook works again {"hook":"h","source":"s","event":"e","handler":"webhook","afterMs":1000}',
    ]);
  });

  it('is said for each hook, and anew for one that has been made again', () => {
    const { lines, failing } = watched();
    for (const id of ['a', 'b']) failing.attempted(hook(id), result('waiting', 0));
    expect(lines).toHaveLength(2);
    failing.retain(new Set(['a']));
    for (const id of ['a', 'b']) failing.attempted(hook(id), result('waiting', 1));
    expect(lines).toHaveLength(3);
  });

  it('is not said beside the delivery that is given up', () => {
    const { lines, failing } = watched();
    failing.attempted(hook('h'), result('dead', 0));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('a delivery was given up');
  });
});
