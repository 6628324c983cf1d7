import { afterEach, describe, expect, it } from 'vitest';
import { LambdaThread } from '../../../src/event-hooks/handlers/lambda-thread.ts';
import { LuaThread, ThreadLost } from '../../../src/lua/index.ts';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

function start(stuckMs = 100): LuaThread<unknown, string> {
  const thread = new LuaThread<unknown, string>({
    entry: new URL('./support/thread-entry.ts', import.meta.url),
    data: { greeting: 'hello' },
    stuckMs,
  });
  closing.push(thread);
  return thread;
}

const lossOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

describe('a thread of Lua', () => {
  it('runs jobs one after the other', async () => {
    const thread = start();
    expect(thread.isRunning).toBe(false);
    expect([await thread.run('a'), await thread.run('b')]).toEqual(['hello a', 'hello b']);
    expect(thread.isRunning).toBe(true);
  });

  it.each([
    ['loop', /did not end in time and was stopped/],
    ['exit', /ended/],
  ])('that is lost is told with its steps, and the next job has another: %s', async (what, reason) => {
    const thread = start();
    const loss = await lossOf(thread.run(what));
    expect(loss).toBeInstanceOf(ThreadLost);
    expect(loss).toMatchObject({ steps: 2, message: expect.stringMatching(reason) as string });
    expect(thread.isRunning).toBe(false);
    expect(await thread.run('again')).toBe('hello again');
  });

  it('goes on after a job that fails, and after one that cannot be copied', async () => {
    const thread = start();
    await expect(thread.run('throw')).rejects.toThrow('as it was told');
    await expect(thread.run({ what: () => undefined })).rejects.toThrow(/could not be cloned/);
    expect(await thread.run('on')).toBe('hello on');
  });
});

describe('the thread of a lambda', () => {
  it('goes on after a payload that cannot be copied', async () => {
    const thread = new LambdaThread(['return function(data) return data.ok end'], {
      timeoutMs: 1000,
      memoryBytes: 1024 * 1024,
    });
    closing.push(thread);
    let deep: Record<string, unknown> = {};
    for (let i = 0; i < 100_000; i++) deep = { deep };
    expect(await thread.call(deep, 'e', 's')).toMatch(/call stack|nested|clone/i);
    expect(await thread.call({ ok: true }, 'e', 's')).toBeNull();
    expect(await thread.call({ ok: false }, 'e', 's')).toBe('function 1 returned false instead of true');
  });
});
