import { expect, onTestFinished, test, vi } from 'vitest';
import { ServerProcess } from '../../../../src/sandbox/plugin-server/process.ts';

test('a server that dies is started again, once a second at most; SIGTERM ends it', async () => {
  const logs: string[] = [];
  const server = new ServerProcess('s', 'sh -c "echo up; exec sleep 60"', (_level, text) => logs.push(text));
  server.start();
  const first = server.pid;
  await vi.waitUntil(() => logs.some((line) => line.endsWith('up')), { timeout: 20_000 });
  process.kill(first ?? 0, 'SIGKILL');
  await vi.waitUntil(() => server.pid !== null && server.pid !== first, { timeout: 20_000 });
  const { pid } = server;
  await server.stop();
  expect(() => process.kill(pid ?? 0, 0)).toThrow();
  expect(logs.join('\n')).toContain('the plugin server ended (SIGKILL)');
});

test('a command that does not exist is not tried again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const logs: string[] = [];
  const server = new ServerProcess('s', '/no/such/command', (_level, text) => logs.push(text));
  server.start();
  await vi.waitUntil(() => logs.some((line) => line.includes('was not found')), { timeout: 20_000 });
  expect([server.pid, vi.getTimerCount()]).toEqual([null, 0]);
  await server.stop();
});
