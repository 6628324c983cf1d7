import { expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import plugin from './canary.ts';

async function sentBy(
  percent: number,
  clients: number,
  found = true,
): Promise<{ canary: number[]; logs: number }> {
  const canary: number[] = [];
  let client = 0;
  await using t = await testPlugin(plugin, {
    config: { upstream: 'next', percent },
    override: {
      'service.setUpstream': (name) => {
        expect(name).toBe('next');
        canary.push(client);
        return found;
      },
    },
  });
  for (; client < clients; client += 1) {
    const { exit } = await t
      .request({ request: { clientIp: `10.0.${String(client >> 8)}.${String(client & 255)}` } })
      .access();
    expect(exit).toBeNull();
  }
  return { canary, logs: t.logs.filter(({ level }) => level === 'error').length };
}

it('sends its part of the clients, the same ones each time, and more of them when the part grows', async () => {
  const { canary } = await sentBy(30, 60);
  expect(canary.length).toBeGreaterThan(5);
  expect(canary.length).toBeLessThan(35);
  expect((await sentBy(30, 60)).canary).toEqual(canary);
  expect((await sentBy(60, 60)).canary).toEqual(expect.arrayContaining(canary));
});

it('sends nobody at 0 and everybody at 100', async () => {
  expect((await sentBy(0, 5)).canary).toHaveLength(0);
  expect((await sentBy(100, 5)).canary).toHaveLength(5);
});

it('lets requests go where all go while there is no such upstream', async () => {
  expect((await sentBy(100, 2, false)).logs).toBe(2);
});
