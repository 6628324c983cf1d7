import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimedSocket, ClaimOptions } from '../../../src/unix/claim.ts';
import { claimSocket } from '../../../src/unix/claim.ts';

let folder: string;
let open: ClaimedSocket[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kts-'));
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((socket) => socket.release()));
  await rm(folder, { recursive: true });
});

async function claim(path: string, name = '', options: Partial<ClaimOptions> = {}): Promise<ClaimedSocket> {
  const socket = await claimSocket(path, {
    mode: 0o660,
    owner: null,
    backlog: 64,
    paused: false,
    maxConnections: null,
    onConnection: (connection) => connection.on('error', () => undefined).end(name),
    ...options,
  });
  open.push(socket);
  return socket;
}

/** What the server on the path says, or the error code. */
function ask(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? '');
    });
    socket.on('end', () => {
      socket.destroy();
      resolve(text);
    });
  });
}

describe('claimSocket', () => {
  it('makes parent folders and sets the mode', async () => {
    const path = join(folder, 'a/b/kong.sock');
    const socket = await claim(path, 'one', { mode: 0o600 });
    expect(socket.found).toBe('nothing');
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    expect(await ask(path)).toBe('one');
  });

  it('takes a live server over, which then leaves the path alone', async () => {
    const path = join(folder, 'kong.sock');
    const first = await claim(path, 'one');
    const second = await claim(path, 'two');
    expect(second.found).toBe('live');
    expect(await ask(path)).toBe('two');
    expect(await first.check()).toBe('taken');
    await first.release();
    expect(await ask(path)).toBe('two');
    await second.release();
    expect(existsSync(path)).toBe(false);
  });

  it('refuses no connection while servers take each other over', async () => {
    const path = join(folder, 'kong.sock');
    let before = await claim(path, 'x');
    let stop = false;
    let asked = 0;
    const answers = new Set<string>();
    const asking = (async () => {
      while (!stop) {
        answers.add(await ask(path));
        asked++;
      }
    })();
    for (let round = 0; round < 20; round++) {
      const next = await claim(path, 'x');
      await before.release();
      before = next;
    }
    stop = true;
    await asking;
    expect([...answers]).toEqual(['x']);
    expect(asked).toBeGreaterThan(20);
  });

  it('replaces a stale file', async () => {
    const path = join(folder, 'kong.sock');
    const first = await claim(path);
    // A hard link keeps the file of a server that ends.
    const { link } = await import('node:fs/promises');
    await link(path, `${path}.kept`);
    await first.release();
    const second = await claim(`${path}.kept`, 'two');
    expect(second.found).toBe('stale');
    expect(await ask(`${path}.kept`)).toBe('two');
  });

  it('knows when its file has been removed', async () => {
    const path = join(folder, 'kong.sock');
    const socket = await claim(path);
    await rm(path);
    expect(await socket.check()).toBe('missing');
  });

  it('leaves files and folders alone', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'precious');
    await expect(claim(file)).rejects.toMatchObject({ code: 'SOCKET_IN_USE' });
    await mkdir(join(folder, 'sub'));
    await expect(claim(join(folder, 'sub'))).rejects.toThrow(/is a folder, not a socket/);
    expect((await readdir(folder)).sort()).toEqual(['file', 'sub']);
  });

  it('names the limit when a path is too long, and works at the limit', async () => {
    const longest = join(folder, 'x'.repeat(107 - Buffer.byteLength(folder) - 1));
    await claim(longest, 'ok');
    expect(await ask(longest)).toBe('ok');
    await expect(claim(`${longest}x`)).rejects.toThrow(/has 108 bytes, and a unix socket may have 107/);
  });

  it('leaves no temporary file when it fails', async () => {
    const path = join(folder, 'kong.sock');
    const denied = claim(path, '', { owner: { uid: -5, gid: -5 } });
    await expect(denied).rejects.toMatchObject({ code: 'SOCKET_UNUSABLE' });
    expect(await readdir(folder)).toEqual([]);
  });
});
