import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { build } from '../../../../src/cli/hooks.ts';

/** What a command prints while it runs, and how it ends. */
interface Run {
  readonly text: { out: string; err: string };
  readonly done: Promise<unknown>;
}

async function serverWith(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function hooks(...args: string[]): Run {
  const text = { out: '', err: '' };
  const to = (name: 'out' | 'err') => (chunk: unknown) => {
    text[name] += String(chunk);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(to('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(to('err')),
  ];
  const done = build()
    .exitOverride()
    .parseAsync(args, { from: 'user' })
    .finally(() => {
      for (const spy of spies) spy.mockRestore();
    });
  return { text, done };
}

const event = (id: string): string =>
  `${JSON.stringify({ type: 'event', id, source: 's', event: 'e', at: 0, data: '{}', hooks: 2 })}\n`;
const connected = '{"type":"connected"}\n';

describe('kong-ts hooks and what answers it', () => {
  it('says that a 404 of something else is no dispatcher, and where one is', async () => {
    const api = await serverWith((_request, response) =>
      response.writeHead(404).end('{"message":"Not found"}'),
    );
    await expect(hooks('--api', api, 'list').done).rejects.toThrow(
      /has no event hooks: it answered 404 to GET \/event-hooks\. It may be the Admin API of a Kong\. .*127\.0\.0\.1:8011.*--api URL/,
    );
  });

  it('rotates a secret by the endpoint for it', async () => {
    const asked: unknown[] = [];
    const api = await serverWith((request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => {
        asked.push([request.method, request.url, JSON.parse(body)]);
        response.end('{"event_hook":{"id":"h"},"secret":"whsec_bmV3","previous_secrets_until":1795861679}');
      });
    });
    const { text, done } = hooks('--api', api, 'rotate-secret', 'h', '--overlap', '60');
    await done;
    expect(asked).toEqual([['POST', '/event-hooks/h/rotate-secret', { overlap_seconds: 60 }]]);
    expect(text.out).toBe(
      'The new secret is whsec_bmV3\n' +
        'The old one signs beside it until 2026-11-28T10:27:59.000Z: give the new one to the receivers before.\n',
    );
    await expect(hooks('--api', api, 'rotate-secret', 'h', '--overlap', 'x').done).rejects.toThrow(
      /--overlap needs seconds/,
    );
  });

  it('tails on after the connection has broken off, and says so', async () => {
    let connections = 0;
    const api = await serverWith((_request, response) => {
      connections += 1;
      response.write(connected);
      response.write(event(`e${String(connections)}`));
      if (connections === 1) setImmediate(() => response.socket?.destroy());
      else if (connections === 2) response.end();
    });
    const { text, done } = hooks('--api', api, 'tail', '--limit', '3');
    await done;
    expect(text.out).toBe(
      ['e1', 'e2', 'e3'].map((id) => `00:00:00.000  s e  event ${id} for 2 hooks\n`).join(''),
    );
    expect(text.err.split('\n').map((line) => line.slice(0, 20))).toEqual([
      'Watching http://127.',
      'The connection ended',
      'Connected again to h',
      'The connection ended',
      'Connected again to h',
      '',
    ]);
  });

  it('does not try again where the first connection fails', async () => {
    const api = await serverWith((_request, response) => response.writeHead(503).end('{"message":"no"}'));
    await expect(hooks('--api', api, 'tail').done).rejects.toThrow(/503 no/);
  });

  it('ends a tail while it waits to connect again', async () => {
    const api = await serverWith((_request, response) => response.end(connected));
    const { text, done } = hooks('--api', api, 'tail');
    await vi.waitFor(() => expect(text.err).toMatch(/Connecting again/));
    process.emit('SIGTERM');
    await done;
    expect(text.out).toBe('');
  });
});

describe('kong-ts hooks listen', () => {
  it('prints what arrives, and whether its signature is good', async () => {
    const { text, done } = hooks('listen', '--port', '0', '--status', '503', '--secret', 'sesame');
    const url = await vi.waitFor(() => {
      const [, found] = /Listening on (http:\S+) /.exec(text.out) ?? [];
      expect(found).toBeDefined();
      return found ?? '';
    });
    const response = await fetch(`${url}hook`, { method: 'POST', body: JSON.stringify({ a: '\u001b[31m' }) });
    expect(response.status).toBe(503);
    process.emit('SIGINT');
    await done;
    expect(text.out).toMatch(
      /POST \/hook {2}no webhook-id\n {2}the signature is NOT good: it carries no signature\n {2}\{\n {4}"a": "\\u001b\[31m"\n {2}\}\n$/,
    );
    expect(text.out).toContain(`config.url=${url} config.secret=SECRET`);
  });

  it('refuses what is no port', async () => {
    await expect(hooks('listen', '--port', '70000').done).rejects.toThrow(/--port has to be from 0 to 65535/);
  });
});

describe('kong-ts hooks quickstart', () => {
  it('brings a signed first event to where one sees it', async () => {
    const { text, done } = hooks('quickstart', '--admin', '127.0.0.1:0', '--once');
    await done;
    expect(text.out).toContain('kong-ts hooks --api http://127.0.0.1:');
    expect(text.out.match(/the signature is good/g)).toHaveLength(2);
    expect(text.out).toMatch(/"username": "alice"/);
  });
});
