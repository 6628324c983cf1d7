import { describe, expect, it } from 'vitest';
import { parseOwner } from '../../../src/server/socket/owner.ts';

const files: Record<string, string> = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\n# kongs: next\nkong:x:1000:2000::/home/kong:/bin/sh\nodd:x::1:::\n',
  '/etc/group': 'root:x:0:\nkong:x:2000:nginx,www\nnginx:x:101:\n',
};

const parse = (text: string) => parseOwner(text, (file) => files[file] ?? expect.fail(file));

describe('--socket-owner', () => {
  it.each([
    ['1000', { uid: 1000, gid: process.getgid?.() ?? 0 }],
    ['0:0', { uid: 0, gid: 0 }],
    ['kong', { uid: 1000, gid: process.getgid?.() ?? 0 }],
    ['kong:kong', { uid: 1000, gid: 2000 }],
    ['kong:101', { uid: 1000, gid: 101 }],
    ['1000:nginx', { uid: 1000, gid: 101 }],
    ['4294967294', { uid: 4_294_967_294, gid: process.getgid?.() ?? 0 }],
  ])('reads %s', (text, owner) => {
    expect(parse(text)).toEqual(owner);
  });

  it.each([
    ['kongs', 'there is no user "kongs" in /etc/passwd', 'id -u kongs'],
    ['odd', 'there is no user "odd"', 'id -u odd'],
    ['kong:www', 'there is no group "www" in /etc/group', 'getent group www'],
    ['4294967295', 'is not an id of a user', 'largest'],
    ['kong:', 'a user or user:group', 'kong:kong'],
    [':kong', 'a user or user:group', 'kong:kong'],
    ['', 'a user or user:group', 'kong:kong'],
    ['a:b:c', 'a user or user:group', 'kong:kong'],
    ['-1', 'there is no user "-1"', 'id -u -1'],
  ])('refuses %j', (text, says, fix) => {
    expect(() => parse(text)).toThrow(says);
    expect(() => parse(text)).toThrow(fix);
  });

  it('says when the system keeps no such file', () => {
    const missing = (file: string): string => {
      throw new Error(`no such file: ${file}`);
    };
    expect(() => parseOwner('kong', missing)).toThrow(
      /"kong" cannot be looked up: no such file: .etc.passwd/,
    );
    expect(parseOwner('7:8', missing)).toEqual({ uid: 7, gid: 8 });
  });

  it('reads the files of this machine', () => {
    expect(parseOwner('root').uid).toBe(0);
  });
});
