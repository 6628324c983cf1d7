import { expect, onTestFinished, test, vi } from 'vitest';
import { nginxEnvironment } from '../../../../src/kong-end/plugin-server/environment.ts';
import { ServerProcess } from '../../../../src/kong-end/plugin-server/process.ts';

function started(command: string, environment: Record<string, string> = {}) {
  const logs: string[] = [];
  const server = new ServerProcess('s', command, (_level, text) => logs.push(text), environment);
  server.start();
  const said = async (end: string): Promise<void> => {
    await vi.waitUntil(() => logs.some((line) => line.endsWith(end)), { timeout: 20_000, interval: 10 });
  };
  return { server, logs, said };
}

test('a server that dies is started again, once a second at most; SIGTERM ends it', async () => {
  const { server, logs, said } = started('/bin/sh -c "echo up; exec sleep 60"');
  const first = server.pid;
  await said('up');
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
  const { server, said } = started('/no/such/command');
  await said('/no/such/command');
  expect([server.pid, vi.getTimerCount()]).toEqual([null, 0]);
  await server.stop();
});

test("a server gets PWD and what it is given, nothing of this process's environment, and umask 0", async () => {
  vi.stubEnv('SECRET_OF_THE_SANDBOX', 'yes');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { server, logs, said } = started('/bin/sh -c "/usr/bin/env; umask; echo done"', { GIVEN: '1' });
  await said('done');
  await server.stop();
  const lines = logs.map((line) => line.replace(/^\[s:\d+\] /, '')).filter((line) => !line.startsWith('_='));
  expect(lines.slice(0, 4).sort()).toEqual(['0000', 'GIVEN=1', `PWD=${process.cwd()}`, 'done']);
});

test('a server that does not end on SIGTERM is killed a moment later, and what it has started is not', async () => {
  const script = 'trap "" TERM; sleep 60 & echo child $!; while :; do sleep 1; done';
  const { server, logs, said } = started(`/bin/sh -c '${script}; echo end'`);
  await vi.waitUntil(() => logs.some((line) => / child \d+$/.test(line)), { timeout: 20_000 });
  const child = Number(/\d+$/.exec(logs.find((line) => line.includes('child')) ?? '')?.[0]);
  onTestFinished(() => void process.kill(child, 'SIGKILL'));
  await server.stop();
  await said('exited on signal 9');
  expect(process.kill(child, 0)).toBe(true);
});

test.each([
  ['', {}],
  ['FOO', { FOO: 'a' }],
  ['FOO; env BAR=1 2; env NONE', { FOO: 'a', BAR: '1 2' }],
  ['env FOO; QUOTED="x; no"', { FOO: 'a', QUOTED: '"x' }],
  ['not a name; 1X=2; =3', {}],
])('nginx_main_env %j leaves %j', (named, expected) => {
  const own = { FOO: 'a', PATH: '/bin', HOME: '/root', TZ: 'UTC' };
  expect(nginxEnvironment(named, own)).toEqual({ TZ: 'UTC', ...expected });
});
