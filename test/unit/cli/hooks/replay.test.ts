import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { HooksApi } from '../../../../src/cli/hooks/api.ts';
import { replay } from '../../../../src/cli/hooks/replay.ts';

let output: string;
let progress: string;
beforeEach(() => {
  [output, progress] = ['', ''];
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((output += String(text)), true)),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((progress += String(text)), true)),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
});

/** An Admin API that has so many deliveries to make again. */
function api(count: number, json = false) {
  const calls: { path: string; body: Record<string, unknown> }[] = [];
  let left = count;
  const call = async (_method: string, path: string, body: Record<string, unknown>) => {
    calls.push({ path, body });
    const replayed = Math.min(left, Number(body.size ?? 1));
    left -= replayed;
    return { replayed, offset: left > 0 ? `after-${String(count - left)}` : null };
  };
  return { calls, api: { json, call } as unknown as HooksApi };
}

describe('hooks replay', () => {
  it('goes on portion by portion where the one before ended, and says how many there were', async () => {
    const { api: hooks, calls } = api(2500);
    await replay(hooks, 'a hook', { since: '2026-01-01', dead: true });
    expect(calls.map(({ body }) => body)).toEqual([
      { size: 1000, since: '2026-01-01', states: ['dead'] },
      { size: 1000, since: '2026-01-01', states: ['dead'], offset: 'after-1000' },
      { size: 1000, since: '2026-01-01', states: ['dead'], offset: 'after-2000' },
    ]);
    expect(new Set(calls.map(({ path }) => path))).toEqual(new Set(['/event-hooks/a%20hook/replay']));
    expect(output).toBe('2500 deliveries queued again.\n');
    expect(progress.split(/[\r\n]+/).filter((line) => line !== '')).toEqual([
      '1000 queued again',
      '2000 queued again',
      '2500 queued again',
    ]);
  });

  it('of one delivery asks for that one, with nothing to choose from', async () => {
    const { api: hooks, calls } = api(1);
    await replay(hooks, 'event_hook', { dead: true });
    expect(calls).toEqual([{ path: '/event-hooks/deliveries/event_hook/replay', body: {} }]);
    expect([output, progress]).toEqual(['1 delivery queued again.\n', '']);
  });

  it('as JSON prints one object and no progress', async () => {
    const { api: hooks } = api(1500, true);
    await replay(hooks, 'hook', {});
    expect([JSON.parse(output), progress]).toEqual([{ replayed: 1500 }, '']);
  });

  it('that fails in the middle does not say that it is done', async () => {
    const { api: hooks } = api(1500);
    let calls = 0;
    const call = hooks.call.bind(hooks);
    hooks.call = (...given) => (++calls === 2 ? Promise.reject(new Error('gone')) : call(...given));
    await expect(replay(hooks, 'hook', {})).rejects.toThrow('gone');
    expect(output).toBe('');
    expect(progress).toContain('1000 queued again');
  });

  it.each([
    [{ replayed: '\u001b[2J' }, 'how many'],
    [null, 'how many'],
    [{ replayed: 0, offset: 'a' }, 'do not end'],
  ])('of an API that answers %j ends with an error', async (answer, sentence) => {
    const hooks = { json: false, base: 'http://a', call: async () => answer } as unknown as HooksApi;
    await expect(replay(hooks, 'hook', {})).rejects.toThrow(sentence);
    expect(output).toBe('');
  });
});
