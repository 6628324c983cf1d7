import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KongTsError } from '../../../../src/base/errors.ts';
import { BodyFiles, defaultBodyFolders } from '../../../../src/server/connection/body-file.ts';
import { compileServerOptions } from '../../../../src/server/options.ts';

let prefix: string;
let folder: string;
let files: BodyFiles;
const inFolder = (name: string) => path.join(folder, name);

beforeAll(() => {
  prefix = realpathSync(mkdtempSync(path.join(tmpdir(), 'kong-ts-bodies-')));
  folder = path.join(prefix, 'client_body_temp');
  mkdirSync(path.join(folder, '0', '12'), { recursive: true });
  writeFileSync(inFolder('0000000001'), 'a body');
  writeFileSync(inFolder('0/12/0000000002'), 'deeper');
  writeFileSync(inFolder('large'), Buffer.alloc(2000));
  writeFileSync(path.join(prefix, 'secret'), 'secret');
  symlinkSync(path.join(prefix, 'secret'), inFolder('link'));
  symlinkSync(prefix, inFolder('linked-folder'));
  execFileSync('mkfifo', [inFolder('fifo')]);
  files = new BodyFiles({ folders: [folder], maxBytes: 1000 });
});

afterAll(() => rmSync(prefix, { recursive: true, force: true }));

async function refusal(file: string, from = files): Promise<string> {
  const error: unknown = await from.read(file).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KongTsError);
  expect((error as KongTsError).code).toBe('PDK_BODY_UNAVAILABLE');
  return (error as KongTsError).message;
}

describe('bodies that Kong has buffered to disk', () => {
  it('are read from its folder and from folders below', async () => {
    expect((await files.read(inFolder('0000000001'))).toString()).toBe('a body');
    expect((await files.read(inFolder('0/12/0000000002'))).toString()).toBe('deeper');
  });

  it.each([
    ['beside the folder', () => path.join(prefix, 'secret')],
    ['above it by dots', () => inFolder('../secret')],
    ['in a folder that is a link', () => inFolder('linked-folder/secret')],
    ['of the server itself', () => '/proc/self/environ'],
    ['of its descriptors', () => '/proc/self/fd/0'],
    ['of a device', () => '/dev/zero'],
    ['that is relative', () => 'client_body_temp/0000000001'],
    ['without a name', () => ''],
    ['with a zero byte', () => inFolder('a\0b')],
  ])('a file %s is not read', async (_what, file) => {
    expect(await refusal(file())).toContain('cannot be read here');
  });

  it('what is outside is refused by the folders that are allowed, and by the option that adds one', async () => {
    const message = await refusal('/etc/passwd');
    expect(message).toContain(`allowed: ${folder}`);
    expect(message).toContain('--body-folder');
  });

  it('a link, a pipe that nobody writes to and a folder are refused at once', async () => {
    await refusal(inFolder('link'));
    expect(await refusal(inFolder('fifo'))).toContain('not a regular file');
    expect(await refusal(inFolder('0'))).toContain('not a regular file');
  });

  it('one that is too large for the plugin or for the server is refused by its size', async () => {
    expect(await refusal(inFolder('large'))).toContain('2000 bytes, more than the 1000 allowed');
    await expect(files.read(inFolder('0000000001'), 3)).rejects.toThrow('6 bytes, more than the 3 allowed');
  });

  it('no folder lets a file system through that is none, nor a link in the place of the folder', async () => {
    const proc = new BodyFiles({ folders: ['/proc/self', '/proc/self/fdinfo', '/'], maxBytes: 1000 });
    await refusal('/proc/self/status', proc);
    await refusal('/proc/self/fdinfo/0', proc);
    const linked = new BodyFiles({ folders: [inFolder('linked-folder')], maxBytes: 1000 });
    await refusal(path.join(prefix, 'secret'), linked);
  });
});

describe('--body-folder', () => {
  const compile = (bodyFolder?: string | string[]) =>
    compileServerOptions({
      plugins: ['p'],
      socket: '/run/kong/s.sock',
      cwd: '/work-folder',
      ...(bodyFolder === undefined ? {} : { bodyFolder }),
    }).bodyFolders;

  it("is client_body_temp beside the sockets and in Kong's default prefix unless it is given", () => {
    expect(compile()).toEqual(['/run/kong/client_body_temp', '/usr/local/kong/client_body_temp']);
    expect(defaultBodyFolders(['/usr/local/kong/a', '/usr/local/kong/b'])).toEqual([
      '/usr/local/kong/client_body_temp',
    ]);
  });

  it('names folders, or switches them off', () => {
    expect(compile(['/a', 'b'])).toEqual(['/a', '/work-folder/b']);
    expect(compile('off')).toEqual([]);
    expect(() => compile(['off', '/a'])).toThrow('--body-folder');
    expect(() => compile('')).toThrow('--body-folder');
  });
});
