import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CliProcess } from './support/cli-process.ts';
import { firstLook } from './support/front.ts';
import { Receiver } from './support/receiver.ts';

let folder: string;
let receiver: Receiver;
let running: CliProcess[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kong-ts-story-'));
  receiver = await Receiver.start();
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.end()));
  await receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A gateway with a workspace for each of two teams. */
async function gateway(): Promise<string> {
  const configs = ['team-blue', 'team-green'].map((name) => {
    const file = join(folder, `${name}.json`);
    writeFileSync(
      file,
      JSON.stringify({
        _format_version: '3.0',
        _workspace: name,
        consumers: [{ username: `first-of-${name}` }],
      }),
    );
    return ['--config', file];
  });
  const { cli, found } = await CliProcess.start(
    [
      'sandbox',
      '--deck',
      ...configs.flat(),
      '--proxy-listen',
      '127.0.0.1:0',
      '--admin-listen',
      '127.0.0.1:0',
    ],
    /^Admin API\s+(http:\S+)/,
  );
  running.push(cli);
  return found;
}

/** Event hooks in front of it. */
async function front(kong: string): Promise<{ cli: CliProcess; url: string }> {
  const { cli, found } = await CliProcess.start(
    [
      ...['hooks', 'serve', '--kong-admin', kong, '--admin', '127.0.0.1:0', '--allow-loopback'],
      ...['--data-dir', join(folder, 'data'), '--crud-interval', '60', '--crud-interval', 'consumers=0.3'],
    ],
    /^\{"ready":true.*"admin":"(http[^"]+)"/,
  );
  running.push(cli);
  return { cli, url: found };
}

async function post(url: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const made = (await answer.json()) as Record<string, unknown>;
  expect(answer.status, JSON.stringify(made)).toBe(201);
  return made;
}

/** The consumers that were told of. A process that is killed may send a delivery again, under the same id. */
const usernames = (): unknown[] => {
  const deliveries = new Map(receiver.at('/platform').map((one) => [one.headers['webhook-id'], one.body]));
  return [...deliveries.values()].map(
    (body) => (JSON.parse(body) as { entity: { username?: string } }).entity.username,
  );
};
const heardOf = (name: string): Promise<void> =>
  receiver.untilTrue(
    () => usernames().includes(name),
    30_000,
    () => `${name} among ${usernames().join()}`,
  );

describe("a platform team's one webhook", { timeout: 60_000 }, () => {
  it('hears of every new consumer in any workspace, whoever makes it and whatever dies meanwhile', async () => {
    const kong = await gateway();
    const first = await front(kong);
    await post(`${first.url}/event-hooks`, {
      source: 'crud',
      event: 'consumers:create',
      handler: 'webhook',
      config: { url: receiver.url('/platform') },
    });

    // Its answer waits for the first look, for half a second; a machine that is busier than that gets more time.
    await firstLook(first.url, 'consumers');

    // Through the one Admin API, and straight to Kong's own; from then on, without waiting for anything.
    await post(`${first.url}/team-blue/consumers`, { username: 'alice' });
    await heardOf('alice');
    await post(`${kong}/team-green/consumers`, { username: 'bob' });
    await post(`${kong}/consumers`, { username: 'carol', custom_id: 'c-1' });
    // Nobody asked for these.
    await post(`${kong}/services`, { name: 'api', url: 'http://127.0.0.1:9' });
    await receiver.until('/platform', 3);
    expect(usernames().sort()).toEqual(['alice', 'bob', 'carol']);
    expect(
      receiver.bodies('/platform').find(({ entity }) => JSON.stringify(entity).includes('carol')),
    ).toEqual({
      operation: 'create',
      schema: 'consumers',
      source: 'crud',
      event: 'consumers:create',
      entity: {
        id: expect.any(String) as string,
        username: 'carol',
        custom_id: 'c-1',
        created_at: expect.any(Number) as number,
        updated_at: expect.any(Number) as number,
      },
    });

    // It dies; what happens in Kong meanwhile is told when it is back.
    await first.cli.end('SIGKILL');
    await post(`${kong}/team-blue/consumers`, { username: 'dave' });
    const erin = await post(`${kong}/team-green/consumers`, { username: 'erin' });
    await fetch(`${kong}/team-green/consumers/${String(erin.id)}`, { method: 'DELETE' });
    const second = await front(kong);
    await heardOf('dave');

    // Two of them on one store fire once, and one goes on when the other stops.
    const third = await front(kong);
    await post(`${kong}/team-green/consumers`, { username: 'frank' });
    await heardOf('frank');
    await second.cli.end();
    await post(`${third.url}/team-blue/consumers`, { username: 'grace' });
    await heardOf('grace');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(usernames().sort()).toEqual(['alice', 'bob', 'carol', 'dave', 'frank', 'grace']);
  });
});
