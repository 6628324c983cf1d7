import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { printable, printableJson, printableLine } from '../../../src/terminal/printable.ts';
import { table } from '../../../src/cli/hooks/table.ts';

describe('what others have written, on a terminal', () => {
  it('moves no cursor and turns no line, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
        expect(printableLine(text)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
        expect(table(['A', 'B'], [[text, text]]).split('\n')).toHaveLength(2);
        expect(JSON.parse(printableJson({ text }))).toEqual({ text });
      }),
    );
  });

  it('is shown', () => {
    expect(printable('a\u001b]0;x\u0007\u009b2J\u202eb\r\n')).toBe(
      'a\\u001b]0;x\\u0007\\u009b2J\\u202eb\\r\n',
    );
    expect(printableLine('a\nb\tc')).toBe('a\\nb\\tc');
    expect(printable('grüße, 日本 🎉')).toBe('grüße, 日本 🎉');
  });

  it('is not acted on by any call of kong-ts hooks, nor by its errors', async () => {
    const evil = 'a\u001b]0;x\u0007\u009b2J\u202e\r\nb';
    const row = { id: evil, source: evil, event: evil, handler: evil, config: { url: evil } };
    const delivery = {
      type: 'delivery',
      at: 0,
      state: evil,
      error: evil,
      hook: evil,
      attempts: 1,
      latencyMs: 1,
    };
    const server = createServer((request, response) => {
      const url = request.url ?? '';
      if (url.endsWith('/tail')) response.end(`${JSON.stringify({ ...row, ...delivery })}\n`);
      else if (url.includes('/bad')) response.writeHead(400).end(JSON.stringify({ message: evil }));
      else if (url.includes('/raw')) response.writeHead(400).end(evil);
      else if (url.includes('deliveries'))
        response.end(JSON.stringify({ data: [{ ...row, ...delivery, created_at: 0 }], next: null }));
      else if (request.method === 'POST') response.end(JSON.stringify({ ...row, result: { error: evil } }));
      else response.end(JSON.stringify(url === '/event-hooks' ? { data: [row], next: null } : row));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const api = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    let said = '';
    const take = (chunk: unknown): boolean => {
      said += String(chunk);
      return true;
    };
    vi.spyOn(process.stdout, 'write').mockImplementation(take);
    vi.spyOn(process.stderr, 'write').mockImplementation(take);
    const before = process.exitCode;
    onTestFinished(() => {
      vi.restoreAllMocks();
      process.exitCode = before;
    });
    const calls = [
      'list',
      'create a=b',
      'test x',
      'ping x',
      'deliveries x',
      'deliveries x_y',
      'tail --limit 1',
    ];
    for (const call of calls)
      for (const json of [[], ['--json']]) await main(['hooks', '--api', api, ...json, ...call.split(' ')]);
    for (const call of ['delete bad', 'ping raw']) await main(['hooks', '--api', api, ...call.split(' ')]);
    vi.restoreAllMocks();
    expect(said.match(/\\u009b/g)?.length).toBeGreaterThan(14);
    expect(said.match(/(?!\n)[\p{Cc}\p{Bidi_Control}]+.*/gu)).toBeNull();
  });
});
