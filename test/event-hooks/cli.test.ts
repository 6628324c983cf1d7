import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { build } from '../../src/cli/hooks.ts';
import { bench, tempDir } from './support/setup.ts';
import type { Bench } from './support/setup.ts';

/** Runs the command in this process against a dispatcher of this test. */
function cli(b: Bench, ...args: string[]): Promise<{ out: string; err: string; code: unknown }> {
  return run(b, args, { out: '', err: '' });
}

/** The same; what it has said so far is in `text`. */
async function run(
  b: Bench,
  args: readonly string[],
  text: { out: string; err: string },
): Promise<{ out: string; err: string; code: unknown }> {
  if (!b.admin.server.listening) await b.admin.listen({ host: '127.0.0.1', port: 0 });
  const { port } = b.admin.server.address() as AddressInfo;
  const to = (name: 'out' | 'err') => (chunk: unknown) => {
    text[name] += String(chunk);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(to('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(to('err')),
  ];
  const before = process.exitCode;
  try {
    await build()
      .exitOverride()
      .parseAsync(['--api', `http://127.0.0.1:${String(port)}`, ...args], { from: 'user' });
    return { ...text, code: process.exitCode };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = before;
  }
}

describe('kong-ts hooks', () => {
  it('creates, lists, pings, tests and deletes', async () => {
    const b = await bench();
    expect((await cli(b, 'list')).out).toBe('There are no event hooks.\n');
    const url = b.receiver.url('/x');
    const created = await cli(
      b,
      'create',
      'source=s',
      'event=e',
      'handler=webhook',
      `config.url=${url}`,
      'config.headers.x-a=1',
      'snooze=0',
    );
    const id = /^Created ([0-9a-f-]{36}): s e -> http/.exec(created.out)?.[1] ?? '';
    const { out } = await cli(b, 'list');
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['ID', 'SOURCE', 'EVENT', 'HANDLER', 'ON', 'TARGET'],
      [id, 's', 'e', 'webhook', 'yes', url],
      [''],
    ]);
    expect(JSON.parse((await cli(b, '--json', 'list')).out)).toMatchObject([
      { id, config: { headers: { 'x-a': '1' } } },
    ]);
    expect(JSON.parse((await cli(b, 'ping', id)).out)).toMatchObject({ event: 'ping', event_hooks: { id } });
    const tested = await cli(b, 'test', id, 'n=1', 'name=al');
    expect(JSON.parse(tested.out)).toMatchObject({
      data: { n: 1, name: 'al', event: 'e' },
      result: { status: 200 },
    });
    b.receiver.answer = (_request, response) => response.writeHead(500).end();
    expect((await cli(b, 'test', id)).code).toBe(1);
    await cli(b, 'delete', id);
    expect((await cli(b, 'list')).out).toMatch(/no event hooks/);
    const file = join(tempDir(), 'hook.json');
    writeFileSync(file, JSON.stringify({ source: 's', handler: 'log' }));
    expect((await cli(b, '--json', '--workspace', 'w', 'create', '--file', file)).out).toMatch(
      /"handler": "log"/,
    );
  });

  it('reads fields as a form body of the Admin API has them', async () => {
    const b = await bench();
    const created = await cli(
      b,
      'create',
      'source=crud',
      'handler=webhook',
      `config.url=${b.receiver.url('/x')}`,
      'config.secret=new',
      'config.previous_secrets=1',
      'filter.entity.username=al',
      'retry_schedule=[5,300]',
    );
    expect(created.out).toMatch(/^Created /);
    expect(b.dispatcher.hooks.list()).toMatchObject([
      {
        config: { previous_secrets: ['1'] },
        filter: { 'entity.username': 'al' },
        retry_schedule: [5, 300],
      },
    ]);
  });

  it('shows dead letters and replays one, all, and those since a time, with progress', async () => {
    const b = await bench({ retrySchedule: [] });
    b.receiver.answer = (_request, response) => response.writeHead(500).end('no');
    const url = b.receiver.url('/x');
    const { id } = await b.hook({
      source: 's',
      handler: 'webhook-custom',
      config: { url, method: 'POST', body: '{{ n }}' },
    });
    for (let n = 0; n < 1500; n += 1) b.hub.emit('s', 'e', { n });
    await b.settled();
    const dead = await cli(b, 'deliveries', id, '--state', 'dead', '--limit', '2');
    expect(dead.out.split('\n')).toHaveLength(4);
    expect(dead.out).toMatch(/^ID +EVENT +STATE +TRIES +STATUS +MS +AT +ERROR\n\S+ +e +dead +1 +500 /);
    const one = dead.out.split('\n')[1]?.split(' ')[0] ?? '';
    expect(JSON.parse((await cli(b, 'deliveries', one)).out)).toMatchObject({
      id: one,
      state: 'dead',
      history: [{ attempt: 1 }],
    });
    b.receiver.answer = (_request, response) => response.end('ok');
    b.receiver.received.length = 0;
    expect((await cli(b, 'replay', one)).out).toBe('1 delivery queued again.\n');
    await b.settled();
    expect(b.receiver.at('/x').length).toBe(1);
    const all = await cli(b, 'replay', id, '--dead');
    expect(all.out).toBe('1499 deliveries queued again.\n');
    expect(all.err).toBe('1000 queued again\n1499 queued again\n');
    await b.receiver.until('/x', 1500);
    await b.settled();
    expect((await cli(b, 'deliveries', id, '--state', 'dead')).out).toBe('There are no deliveries.\n');
    const later = new Date(Date.now() + 60_000).toISOString();
    expect(JSON.parse((await cli(b, '--json', 'replay', id, '--since', later)).out)).toEqual({ replayed: 0 });
  });

  it('tails what happens until it is interrupted', async () => {
    const b = await bench();
    await b.hook({ source: 's', handler: 'log' });
    const text = { out: '', err: '' };
    const tail = run(b, ['tail', '--source', 's'], text);
    await b.receiver.untilTrue(() => b.dispatcher.feed.watched);
    b.hub.emit('other', 'e', {});
    b.hub.emit('s', 'e', { n: 1 });
    await b.settled();
    await b.receiver.untilTrue(() => text.out.split('\n').length > 2);
    process.emit('SIGINT');
    const lines = (await tail).out.trim().split('\n');
    expect(
      lines
        .map((line) =>
          line.slice('19:44:08.767  '.length).replace(/ \w{32}|[\d.]+(?= ms)|hook [\w-]{36}/g, ''),
        )
        .sort(),
    ).toEqual(['s e  delivered at attempt 1 in  ms: no status  ', 's e  event for 1 hook']);
    expect(text.err).toMatch(/^Watching http:\S+\. Ctrl-C ends it\.\n$/);
  });

  it('reads, changes, switches off and on', async () => {
    const b = await bench();
    const { id } = await b.hook({ source: 's', event: 'e', handler: 'log', snooze: 3 });
    expect(JSON.parse((await cli(b, 'get', id)).out)).toMatchObject({ id, snooze: 3 });
    expect((await cli(b, 'update', id, 'snooze=null', 'event=f')).out).toBe(`Updated ${id}: s f -> log\n`);
    expect(b.dispatcher.hooks.get(id)).toMatchObject({ snooze: null, event: 'f' });
    expect((await cli(b, 'disable', id)).out).toBe(`Switched off ${id}: s f -> log (off)\n`);
    expect(b.dispatcher.hooks.get(id)?.enabled).toBe(false);
    expect((await cli(b, 'enable', id)).out).toBe(`Switched on ${id}: s f -> log\n`);
    expect(b.dispatcher.hooks.get(id)?.enabled).toBeUndefined();
    await expect(cli(b, 'update', id)).rejects.toThrow(/Nothing to change was given\. Write fields/);
    await expect(cli(b, 'enable', 'x')).rejects.toThrow(/404/);
  });

  it('shows in a list why the dispatcher has switched a hook off', async () => {
    const b = await bench();
    const { id } = await b.hook({ source: 's', handler: 'log' });
    const hook = b.dispatcher.hooks.get(id);
    if (hook !== undefined) await b.dispatcher.hooks.disable(hook, 'the target answered 410 Gone');
    expect((await cli(b, 'list')).out).toMatch(/WHY OFF\n.* no +- +the target answered 410 Gone\n$/);
  });

  it('lists what is published, and knows what was meant', async () => {
    const b = await bench();
    b.dispatcher.publish({ source: 's', event: 'e', fields: ['a', 'b'], unique: ['a'], description: 'An E' });
    expect((await cli(b, 'sources', 's')).out).toMatch(/\ns +e +a, b +a +An E\n$/);
    expect(JSON.parse((await cli(b, '--json', 'sources', 'balancer', 'health')).out)).toMatchObject({
      balancer: { health: { unique: ['upstream_id', 'ip', 'port'] } },
    });
    await expect(cli(b, 'sources', 'crud', 'consumer')).rejects.toThrow(/Did you mean consumers\?/);
    await expect(cli(b, 'sources', 'constructor')).rejects.toThrow(/Nobody has published the source/);
  });

  it('says how the dispatcher does', async () => {
    const b = await bench();
    const { out, code } = await cli(b, 'status');
    expect(out).toMatch(
      /^dispatcher {2}http:.*\nstore {7}memory, in order.*--data-dir.*\ndelivering {2}yes\n/,
    );
    expect(out).toMatch(/hooks {7}0\nunfinished {2}0 deliveries\n$/);
    expect(code).toBeUndefined();
  });

  it('prints the warnings of the Admin API beside what it did', async () => {
    const b = await bench();
    const { out, err } = await cli(b, 'create', 'source=crud', 'event=consumer', 'handler=log');
    expect(out).toMatch(/^Created /);
    expect(err).toMatch(/^Warning: Nobody has published the event "consumer".*Did you mean "consumers"\?/);
  });

  it('says what is wrong', async () => {
    const b = await bench();
    await expect(cli(b, 'create', 'handler=log')).rejects.toThrow(
      /400 schema violation \(source: required field missing\)/,
    );
    await expect(cli(b, 'create', 'nonsense')).rejects.toThrow(/"nonsense" is not name=value/);
    await expect(cli(b, 'ping', 'x')).rejects.toThrow(/404 Not found\. kong-ts hooks list shows/);
    await expect(cli(b, '--api', 'http://127.0.0.1:1', 'list')).rejects.toThrow(
      /Nothing answers at .*--api/s,
    );
    const closed = await bench({}, 'token');
    await expect(cli(closed, 'list')).rejects.toThrow(/401 Unauthorized.*KONG_TS_ADMIN_TOKEN/);
    expect((await cli(closed, '--token', 'token', 'list')).out).toMatch(/no event hooks/);
    onTestFinished(() => undefined);
  });
});
