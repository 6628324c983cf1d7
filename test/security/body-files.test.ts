import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BodyFiles } from '../../src/server/connection/body-file.ts';
import { KongClient } from '../server/support/kong-client.ts';
import { Workbench } from '../server/support/server-process.ts';

const secret = 'the secret of the server';
let bench: Workbench;
const clients: KongClient[] = [];
const swappers: ChildProcess[] = [];
const at = (name: string): string => path.join(bench.folder, name);
const body = (name: string): string => at(`client_body_temp/${name}`);

beforeAll(async () => {
  bench = await Workbench.create();
  mkdirSync(body('0'), { recursive: true });
  mkdirSync(at('private'));
  writeFileSync(at('private/0001'), secret);
  writeFileSync(body('0001'), 'a body');
  const server = await bench.serve(['body'], '--workers', '1').ready();
  clients.push(new KongClient(server.socket, 'protobuf'), new KongClient(server.socket, 'msgpack'));
});
afterAll(async () => {
  for (const swapper of swappers) swapper.kill('SIGKILL');
  for (const client of clients) client.close();
  await bench.clean();
});

/** What a plugin gets where Kong, or whoever speaks on the socket, says that the body is in a file. */
async function bodyAt(kong: KongClient, file: string): Promise<string> {
  kong.results['kong.request.get_raw_body'] = { body_filepath: file };
  // A Kong before 3.8, over MsgPack:1: asked for the name of the file.
  kong.answers['kong.nginx.get_var'] = ([name]) =>
    ({ request_body_file: file, http_content_length: '60000' })[String(name)] ?? null;
  await kong.event('body', {}, 'access');
  return String(kong.lastArguments[1]);
}

/** Another process puts one or the other at a path, as quickly as it can; it has begun when this resolves. */
async function swap(where: string, one: string, other: string): Promise<void> {
  const script = `
    const { renameSync } = require('node:fs');
    const [where, one, other] = process.argv.slice(1);
    renameSync(one, where);
    renameSync(where, one);
    require('node:fs').writeSync(1, 'begun');
    for (;;) for (const each of [one, other]) {
      try { renameSync(each, where); renameSync(where, each); } catch {}
    }`;
  const swapper = spawn(process.execPath, ['-e', script, where, one, other], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  swappers.push(swapper);
  await once(swapper.stdout, 'data');
}

describe.each([
  ['ProtoBuf:1', 0],
  ['MsgPack:1', 1],
])('a file that a peer names over %s', (_protocol, index) => {
  const read = (file: string): Promise<string> => bodyAt(clients[index] as KongClient, file);

  it('is read where it is a body', async () => {
    expect(await read(body('0001'))).toBe('a body');
  });

  it('is not read under a second name', async () => {
    linkSync(at('private/0001'), body(`hard-${String(index)}`));
    expect(await read(body(`hard-${String(index)}`))).toContain('several names');
  });

  it('is not read where its path is not a path of a file', async () => {
    const long = await read(body('x/'.repeat(200_000)));
    expect(long).toContain('longer than a path may be');
    expect(long.length).toBeLessThan(1000);
    for (const file of [
      `/proc/self/fd/0`,
      `/proc/self/root${at('private/0001')}`,
      `/proc/self/cwd/package.json`,
      `/dev/fd/0`,
      body('0/../../private/0001'),
      `${body('0001')}/../../private/0001`,
      `//${at('private/0001')}`,
      body('0001\0.txt'),
      body('0001/'),
      'client_body_temp/0001',
      `file://${body('0001')}`,
    ])
      expect(await read(file), file).toContain('cannot be read here');
  });

  it('is never one of another folder while links, folders and pipes are put in its way', async () => {
    const name = (what: string): string => `${what}-${String(index)}`;
    // A folder of Kong's that is now a folder, now a link; a file that is now a file, now a link or a pipe.
    mkdirSync(at(name('real')));
    writeFileSync(at(`${name('real')}/0001`), 'a body');
    symlinkSync(at('private'), at(name('link')));
    await swap(body(name('folder')), at(name('real')), at(name('link')));
    writeFileSync(at(name('file')), 'a body');
    execFileSync('mkfifo', [at(name('pipe'))]);
    await swap(body(name('one')), at(name('file')), at(name('pipe')));
    symlinkSync(at('private/0001'), at(name('to')));
    writeFileSync(at(name('own')), 'a body');
    await swap(body(name('two')), at(name('own')), at(name('to')));
    for (let round = 0; round < 25; round++) {
      for (const file of [body(`${name('folder')}/0001`), body(name('one')), body(name('two'))]) {
        const found = await read(file);
        if (found !== 'a body') expect(found).toContain('cannot be read here');
      }
    }
    for (const swapper of swappers.splice(0)) swapper.kill('SIGKILL');
    expect(await read(body('0001'))).toBe('a body');
  });
});

it('no folder of Kong that is now a folder and now a link lets another one in', async () => {
  mkdirSync(at('temp-real'));
  writeFileSync(at('temp-real/0001'), 'a body');
  symlinkSync(at('private'), at('temp-link'));
  const files = new BodyFiles({ folders: [at('temp')], maxBytes: 1000 });
  await swap(at('temp'), at('temp-real'), at('temp-link'));
  for (let round = 0; round < 300; round++) {
    const found = await files.read(at('temp/0001')).then(String, () => 'refused');
    expect(['a body', 'refused']).toContain(found);
  }
  for (const swapper of swappers.splice(0)) swapper.kill('SIGKILL');
});

it('a file that grows while it is read is what it was, one that shrinks is refused', async () => {
  const files = new BodyFiles({ folders: [at('client_body_temp')], maxBytes: 1e6 });
  writeFileSync(body('growing'), 'x'.repeat(1000));
  const growing = files.read(body('growing'));
  writeFileSync(body('growing'), 'y'.repeat(5000), { flag: 'a' });
  expect((await growing).length).toBeLessThanOrEqual(6000);
  for (let round = 0; round < 20; round++) {
    writeFileSync(body('shrinking'), 'x'.repeat(100_000));
    const shrinking = files.read(body('shrinking')).then(
      ({ length }) => length,
      () => 'refused' as const,
    );
    if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    truncateSync(body('shrinking'), 10);
    expect([10, 100_000, 'refused']).toContain(await shrinking);
  }
  renameSync(body('shrinking'), body('renamed'));
  expect((await files.read(body('renamed'))).length).toBe(10);
});
