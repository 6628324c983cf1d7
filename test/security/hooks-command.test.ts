import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';
import { linesOf, textOf } from '../../src/cli/hooks/answer.ts';
import { HooksApi } from '../../src/cli/hooks/api.ts';
import { runCli } from '../support/run-cli.ts';

/** `kong-ts hooks` with a token, and something at the address that is not a dispatcher. */
async function against(answer: RequestListener): Promise<{ api: HooksApi; url: string }> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const command = new Command().option('--api <url>').option('--token <token>');
  command.parse(['--api', url, '--token', 'secret'], { from: 'user' });
  return { api: new HooksApi(command), url };
}

const limit = 1000;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
const failing = { code: 'HOOKS_UNAVAILABLE' };

describe('an answer', () => {
  it('is read up to a limit, however it is packed, and so is a line', async () => {
    const packed = gzipSync('x'.repeat(limit + 1));
    const { url } = await against((request, response) => {
      response.setHeader('content-encoding', request.url === '/packed' ? 'gzip' : 'identity');
      response.end(
        request.url === '/packed' ? packed : request.url === '/fits' ? 'é\nb' : 'y'.repeat(2 * limit),
      );
    });
    for (const path of ['/packed', '/plain']) {
      await expect(textOf(await fetch(url + path), url, limit)).rejects.toMatchObject(failing);
      const lines = all(linesOf(await fetch(url + path), url, limit));
      await expect(lines).rejects.toMatchObject(failing);
    }
    expect(await textOf(await fetch(`${url}/fits`), url, limit)).toBe('é\nb');
    expect(await all(linesOf(await fetch(`${url}/fits`), url, limit))).toEqual(['é', 'b']);
  });

  it('that leads elsewhere is not followed: the token stays here', async () => {
    const seen: unknown[] = [];
    const elsewhere = await against((request, response) => {
      seen.push(request.headers);
      response.end('{}');
    });
    const { api } = await against((_request, response) =>
      response.writeHead(302, { location: elsewhere.url }).end(),
    );
    await expect(api.call('GET', '/event-hooks')).rejects.toThrow(/302/);
    expect(seen).toEqual([]);
  });

  it.each([
    '<html>',
    '[',
    '{"data":{}}',
    'null',
    '{"data":[1],"next":"@evil.example/"}',
    '{"data":[],"next":"/y"}',
  ])('of somebody else is named: %s', async (text) => {
    const { api } = await against((_request, response) => response.end(text));
    await expect(api.list('/x')).rejects.toMatchObject(failing);
  });

  it('whose pages lead back is given up', async () => {
    const { api } = await against((request, response) =>
      response.end(JSON.stringify({ data: [1], next: request.url === '/a' ? '/b' : '/a' })),
    );
    await expect(api.list('/a')).rejects.toMatchObject(failing);
  });

  it('of a tail that breaks off, or is none, is said', async () => {
    const { api } = await against((request, response) => {
      response.write('{"type":"connected"}\n');
      setTimeout(() => (request.url === '/none' ? response.end('no\n') : response.destroy()), 20);
    });
    const follow = (path: string) => all(api.follow(path, new AbortController().signal));
    await expect(follow('/none')).rejects.toMatchObject(failing);
    await expect(follow('/breaks')).rejects.toMatchObject(failing);
  });
});

describe('what an answer says', () => {
  it.each([
    ['status', { store: 'a\u001b[2Jb', durable: true, store_healthy: true, hooks: 0, unfinished: 0 }],
    ['rotate-secret', { secret: 'a\u009b2Jb', previous_secrets_until: null }],
  ])('of %s is shown without acting on the terminal', async (name, answer) => {
    const { url } = await against((_request, response) => response.end(JSON.stringify(answer)));
    const { status, stdout } = await runCli([
      'hooks',
      '--api',
      url,
      name,
      ...(name === 'status' ? [] : ['x']),
    ]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/a\\u00(?:1b\[|9b)2Jb/);
    expect([...stdout].filter((each) => each === '\u001b' || each === '\u009b')).toEqual([]);
  });
});
