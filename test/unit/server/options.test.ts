import { describe, expect, it } from 'vitest';
import { compileBytes, compileServerOptions, compileHostPort } from '../../../src/server/options.ts';

const compile = (options: object) =>
  compileServerOptions({ plugins: ['p'], socket: '/run/k.sock', cwd: '/c', ...options });

describe('compileServerOptions', () => {
  it('fills in defaults', () => {
    expect(compile({ workers: 2 })).toMatchObject({
      sockets: [{ path: '/run/k.sock', plugin: null }],
      workers: 2,
      socketMode: 0o660,
      maxFrameBytes: 67_108_864,
      control: '/run/k.sock.ctl',
      metrics: null,
      dataDir: null,
    });
  });

  it('reads sockets for one plugin and relative paths', () => {
    expect(compile({ socket: ['a.sock', 'my-plugin=b.sock', './x=y.sock'] }).sockets).toEqual([
      { path: '/c/a.sock', plugin: null },
      { path: '/c/b.sock', plugin: 'my-plugin' },
      { path: '/c/x=y.sock', plugin: null },
    ]);
  });

  it.each([
    [{ plugins: [] }, /at least one plugin/],
    [{ socket: [] }, /Name a socket/],
    [{ socket: ['a', './a'] }, /same path/],
    [{ workers: -1 }, /--workers has to be a whole number from 0 to 64, not -1/],
    [{ socketMode: 'rw' }, /octal number such as 660/],
    [{ socketOwner: 'nobody:here:now' }, /a user or user:group, not "nobody:here:now"/],
    [{ maxWorkerMemory: 'lots' }, /512M/],
    [{ logLevel: 'loud' }, /one of debug, info, notice/],
    [{ metrics: 'here' }, /HOST:PORT, not here/],
  ])('refuses %j', (options, message) => {
    expect(() => compile(options)).toThrow(message);
  });

  it('reads sizes and addresses', () => {
    expect(['512', '2k', '1.5M', '1GiB'].map(compileBytes)).toEqual([512, 2048, 1_572_864, 1_073_741_824]);
    expect(['9100', '0.0.0.0:9100', '[::1]:0'].map(compileHostPort)).toEqual([
      { host: '127.0.0.1', port: 9100 },
      { host: '0.0.0.0', port: 9100 },
      { host: '::1', port: 0 },
    ]);
  });

  it('refuses to watch without workers, which alone can load plugins anew', () => {
    const options = { plugins: ['p'], socket: '/tmp/k.sock', watch: true };
    expect(() => compileServerOptions({ ...options, workers: 0 })).toThrow(/--watch needs workers/);
    expect(compileServerOptions({ ...options, workers: 1 }).watch).toBe(true);
  });
});
