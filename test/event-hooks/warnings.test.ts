import { describe, expect, it } from 'vitest';
import { bench } from './support/setup.ts';

const resolve = (name: string): Promise<string[]> => {
  const known: Record<string, string[]> = {
    inside: ['127.0.0.1'],
    outside: ['203.0.113.1', '93.184.215.14'],
  };
  const found = known[name];
  return found === undefined ? Promise.reject(new Error(`queryA ENOTFOUND ${name}`)) : Promise.resolve(found);
};
const webhook = (host: string) => ({
  source: 's',
  event: 'e',
  handler: 'webhook',
  config: { url: `http://${host}/` },
});

/** A dispatcher on which `s` `e` is published, and what it warns of. */
async function warnings(hook: unknown, method = 'POST', path = '/event-hooks'): Promise<string | undefined> {
  const b = await bench({ allowLoopback: false, resolve });
  b.dispatcher.publish({ source: 's', event: 'e', fields: [] });
  const { headers, status } = await b.api(method, path, hook);
  expect(status).toBeLessThan(300);
  return headers.warning as string | undefined;
}

describe('a valid hook that will disappoint', () => {
  it('has no warning where there is nothing to warn of', async () => {
    expect(await warnings(webhook('outside'))).toBeUndefined();
    expect(await warnings({ source: 's', handler: 'log' })).toBeUndefined();
  });

  it('names a source and an event that nobody has published, and what may be meant', async () => {
    expect(await warnings({ source: 'nobody', handler: 'log' })).toMatch(
      /^299 kong-ts "Nobody has published an event/,
    );
    expect(await warnings({ source: 'crud', event: 'route', handler: 'log' })).toMatch(
      /Did you mean \\"routes\\"\?/,
    );
    expect(await warnings({ source: 'balancer', handler: 'log' })).toMatch(/without --kong-admin/);
  });

  it('names a target whose name stands for refused addresses only, or for none', async () => {
    expect(await warnings(webhook('inside'))).toMatch(
      /config\.url: The target inside is refused: 127\.0\.0\.1 is a loopback address\. Start the dispatcher with allowLoopback: true/,
    );
    expect(await warnings(webhook('nowhere'))).toMatch(/the name nowhere cannot be resolved now/);
  });

  it('is warned of by PUT as well, and its text is ASCII whatever the names are', async () => {
    const id = '/event-hooks/11111111-2222-4333-8444-555555555555';
    const text = await warnings({ source: 'quélle"', handler: 'log' }, 'PUT', id);
    expect(text).toMatch(/qu\\u00e9lle/);
    expect(JSON.parse(text?.slice('299 kong-ts '.length) ?? '')).toContain('"quélle""');
  });
});

describe('a hook that can never arrive', () => {
  it('is refused by its address, with the option that allows it where there is one', async () => {
    const { api } = await bench({ allowLoopback: false, advice: { loopback: '--a', private: '--b' } });
    const text = async (host: string): Promise<unknown> =>
      (await api('POST', '/event-hooks', webhook(host))).body.message;
    expect(await text('127.0.0.1')).toMatch(
      /because it is a loopback address\. Start the dispatcher with --a to allow it/,
    );
    expect(await text('10.1.2.3')).toMatch(/with --b to/);
    expect(await text('169.254.169.254')).not.toMatch(/Start the dispatcher/);
  });

  it('is refused by its method where that is none', async () => {
    const { api } = await bench();
    const custom = (method: string) => ({
      source: 's',
      handler: 'webhook-custom',
      config: { url: 'http://127.0.0.1:1/', method },
    });
    expect((await api('POST', '/event-hooks', custom('POTS'))).body).toMatchObject({
      fields: { config: { method: 'POTS is not an HTTP method (did you mean POST?)' } },
    });
    for (const method of ['PROPFIND', 'PURGE', 'BAN', 'QUERY'])
      expect((await api('POST', '/event-hooks', custom(method))).status).toBe(201);
  });
});
