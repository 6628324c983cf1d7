import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askServer } from '../../src/server/admin/client.ts';
import { compileServerOptions } from '../../src/server/options.ts';
import type { ReloadResult } from '../../src/server/index.ts';
import { freePort } from '../support/free-port.ts';
import { runCli } from '../support/run-cli.ts';
import { plugin, until, Workbench } from './support/server-process.ts';
import type { ServerProcess } from './support/server-process.ts';

let bench: Workbench;
let server: ServerProcess;
let address: string;

/** The debugger's target, undefined while there is none. */
async function target(): Promise<string | undefined> {
  const response = await fetch(`http://${address}/json/list`).catch(() => null);
  if (response === null) return undefined;
  const [first] = (await response.json()) as { webSocketDebuggerUrl: string }[];
  return first?.webSocketDebuggerUrl;
}

beforeAll(async () => {
  bench = await Workbench.create();
  address = `127.0.0.1:${String(await freePort())}`;
  server = await bench.serve(['steady', 'counting'], '--inspect', address).ready();
});
afterAll(async () => {
  await bench.clean();
});

describe('a server that is developed with', () => {
  it('says on its control socket what Kong would read of each plugin, as dump prints it', async () => {
    const { plugins } = (await askServer(`${server.socket}.ctl`, 'GET', '/dump')) as { plugins: unknown[] };
    const { stdout } = await runCli(['dump', plugin('steady')]);
    expect(plugins[0]).toEqual(JSON.parse(stdout));
    expect(plugins).toHaveLength(2);
  });

  it('lets a debugger attach to its one worker, and to the next one after a reload', async () => {
    expect((await server.status()).workers).toHaveLength(1);
    await until(async () => (await target()) !== undefined, 'the debugger');
    const before = await target();
    const { reloaded } = (await askServer(`${server.socket}.ctl`, 'POST', '/reload')) as ReloadResult;
    expect(reloaded).toBe(true);
    await until(async () => ![undefined, before].includes(await target()), 'the debugger of the next worker');
  });
});

it('a debugger is for this machine and one worker; nothing but a person ends a worker that stands still', () => {
  const options = { plugins: ['x'], socket: '/s' };
  expect(() => compileServerOptions({ ...options, inspect: '0.0.0.0:9229' })).toThrow(
    'address of this machine',
  );
  expect(() => compileServerOptions({ ...options, inspect: 'on', workers: 2 })).toThrow('one worker');
  expect(compileServerOptions({ ...options, inspect: 'on' })).toMatchObject({
    inspect: { host: '127.0.0.1', port: 9229 },
    workers: 1,
    blockLimitMs: 86_400_000,
  });
});
