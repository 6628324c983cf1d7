import { mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCallbackLog } from '../../../src/server/index.ts';
import { compileServerOptions } from '../../../src/server/options.ts';
import { ListeningSockets } from '../../../src/server/socket/listening.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('a file that is gone is made again once, also where a look comes before the one before it has ended', async () => {
  const said: string[] = [];
  const socket = join(folder, 'k.sock');
  const sockets = await ListeningSockets.open({
    server: compileServerOptions({ plugins: ['./a.ts'], socket, instancesFile: null }),
    log: createCallbackLog('notice', (_level, _fields, message) => said.push(message)),
    paused: false,
  });
  sockets.serve({ onConnection: () => undefined, onTakenOver: () => said.push('taken over') });
  unlinkSync(socket);
  await Promise.all(Array.from({ length: 3 }, () => sockets.look()));
  await sockets.close();
  expect(said).toEqual(['listening', 'the socket file is gone and is made again', 'listening']);
});
