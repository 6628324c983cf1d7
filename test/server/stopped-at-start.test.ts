import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createServerLog } from '../../src/server/log/server-log.ts';
import { compileServerOptions } from '../../src/server/options.ts';
import { ListeningSockets } from '../../src/server/socket/listening.ts';
import { Supervisor } from '../../src/server/supervisor/supervisor.ts';
import { plugin } from './support/server-process.ts';

it.each([
  ['before it has begun to open anything', 0],
  ['while it opens its control socket', 1],
])('a server that is stopped %s leaves no socket behind', async (_when, turns) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kts-'));
  try {
    const options = compileServerOptions({
      plugins: [plugin('steady')],
      socket: path.join(folder, 'k.sock'),
      workers: 1,
      eventHooks: 'off',
      instancesFile: null,
    });
    const log = createServerLog('emerg', {}, 'json');
    const sockets = await ListeningSockets.open({ server: options, log, paused: true });
    const supervisor = await Supervisor.start(options, log, sockets, (created) => {
      if (turns === 0) void created.stop();
      else queueMicrotask(() => void created.stop());
    });
    await supervisor.stopped;
    expect(supervisor.addresses).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
