import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseServeOptions } from '../../../src/event-hooks/serve/options.ts';
import { serveDispatcher } from '../../../src/event-hooks/serve/serve.ts';
import { listenControl } from '../../../src/server/admin/listeners.ts';
import { lookAt, placeSocket } from '../../../src/unix/place.ts';

let folder: string;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kts-'));
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  rmSync(folder, { recursive: true });
});

const quiet = { info() {}, notice() {}, warn() {}, error() {} };

async function dispatcher(path: string, ...argv: string[]): Promise<void> {
  const options = parseServeOptions(argv, {});
  const served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log: quiet } });
  closers.push(() => served.stop());
  expect(lstatSync(path).isSocket()).toBe(true);
}

const source = { status: () => ({}), metrics: () => ({}), reload: () => ({}) } as never;

/** Everything that listens on a path that a person gives. */
const openers: [name: string, mode: number, open: (path: string) => Promise<void>][] = [
  ['event hooks Admin API', 0o600, (path) => dispatcher(path, '--admin', `unix:${path}`)],
  ['event hooks gRPC', 0o660, (path) => dispatcher(path, '--admin', 'off', '--listen', `unix:${path}`)],
  [
    'control socket',
    0o600,
    async (path) => {
      const listener = await listenControl(path, source);
      closers.push(() => listener.close());
    },
  ],
];

describe.each(openers)('%s', (_name, mode, openAt) => {
  it('leaves a file at its path alone, and a symbolic link', async () => {
    const path = join(folder, 'precious');
    writeFileSync(path, 'data');
    symlinkSync(path, join(folder, 'link'));
    await expect(openAt(path)).rejects.toMatchObject({ code: 'SOCKET_IN_USE' });
    await expect(openAt(join(folder, 'link'))).rejects.toMatchObject({ code: 'SOCKET_IN_USE' });
    expect(readFileSync(path, 'utf8')).toBe('data');
  });

  it('replaces a socket that nobody listens on, and leaves its path alone once another has taken it', async () => {
    const path = join(folder, 's');
    const gone = createServer().listen(join(folder, 'first'));
    await placeSocket(path, { mode: 0o777, owner: null, live: 'refuse' }, async (temporary) => {
      await new Promise((resolve) => gone.close(resolve));
      await new Promise<void>((resolve) => gone.listen(temporary, resolve));
    });
    await new Promise((resolve) => gone.close(resolve));
    const umask = process.umask(0);
    await openAt(path).finally(() => process.umask(umask));
    expect(lstatSync(path).mode & 0o777).toBe(mode);
    rmSync(path);
    writeFileSync(path, 'somebody else');
    for (const close of closers.splice(0)) await close();
    expect(readFileSync(path, 'utf8')).toBe('somebody else');
  });
});

it('a dispatcher does not take a live Admin API over, unless it may share', async () => {
  const path = join(folder, 's');
  await dispatcher(path, '--admin', `unix:${path}`);
  await expect(dispatcher(path, '--admin', `unix:${path}`)).rejects.toMatchObject({ code: 'SOCKET_IN_USE' });
  await dispatcher(path, '--admin', `unix:${path}`, '--reuse-port');
});

it.each([
  ['a file stands for its folder', (at: string) => join(at, 'file', 's.socket')],
  ['a name is too long', (at: string) => join(at, 'x'.repeat(300), 's.socket')],
  ['links lead to each other', (at: string) => join(at, 'loop', 's.socket')],
])('nobody can look at a path where %s, which is told like any other', async (_what, pathIn) => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'loop'), join(folder, 'loop'));
  await expect(lookAt(pathIn(folder))).rejects.toMatchObject({ code: 'SOCKET_UNUSABLE' });
});
