import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { definePlugin } from '../../../src/index.ts';
import { testPlugin } from '../../../src/testing/index.ts';
import { protocols } from './plugins.ts';

const everyPhase = definePlugin({
  name: 'every-phase',
  version: '1.0.0',
  async rewrite(kong) {
    await kong.ctx.shared.set('trace', ['rewrite']);
    await kong.service.request.setHeader('x-from', 'rewrite');
  },
  async access(kong) {
    await kong.ctx.shared.set('trace', [...((await kong.ctx.shared.get('trace')) as string[]), 'access']);
    await Promise.all([
      kong.service.request.setMethod('PUT'),
      kong.service.request.setPath('/new'),
      kong.service.request.setQuery({ a: '1' }),
      kong.service.request.setRawBody('changed'),
      kong.service.setTarget('other.test', 8080),
      kong.service.request.setScheme('https'),
      kong.response.setHeader('x-set-in', 'access'),
    ]);
    if ((await kong.request.getHeader('x-stop')) !== null) {
      await kong.response.exit(418, { message: 'stop' }, { 'x-why': 'asked' });
    }
  },
  async response(kong) {
    const body = (await kong.service.response.getRawBody()).toString();
    await kong.response.setStatus(202);
    await kong.response.setHeader('x-body', body);
    await kong.response.clearHeader('x-secret');
  },
  async log(kong) {
    const record = await kong.log.serialize();
    const trace = (await kong.ctx.shared.get('trace')) as string[];
    await kong.log.info(trace.join(), ' ', record.response?.status);
  },
});

describe.each(protocols)('phases over %s', (protocol) => {
  const response = { status: 201, headers: { 'x-secret': 's', 'content-type': 'text/plain' }, body: 'made' };

  it('run in order and share the request', async () => {
    const t = await testPlugin(everyPhase, { protocol, response });
    const result = await t.run();
    expect(result.phases.map(({ phase }) => phase)).toEqual(['rewrite', 'access', 'response', 'log']);
    expect(result).toMatchObject({ exit: null, error: null, failure: null });
    expect(result.upstream).toMatchObject({
      method: 'PUT',
      path: '/new',
      query: 'a=1',
      scheme: 'https',
      host: 'other.test',
      port: 8080,
      text: 'changed',
      headers: { 'x-from': 'rewrite', 'content-length': '7', host: 'other.test' },
    });
    expect(result.response).toMatchObject({
      status: 202,
      text: 'made',
      headers: { 'x-set-in': 'access', 'x-body': 'made', 'content-type': 'text/plain' },
    });
    expect(result.response?.headers).not.toHaveProperty('x-secret');
    expect(result.logs).toEqual([
      { level: 'info', message: 'rewrite,access 202', from: 'plugin', fields: {} },
    ]);
    await t.close();
  });

  it('run one at a time, and those not asked for are passed over', async () => {
    const t = await testPlugin(everyPhase, { protocol, response });
    const { response: client } = await t.response();
    expect(client).toMatchObject({ status: 202, headers: { 'x-body': 'made' } });
    await expect(t.access()).rejects.toThrow(/been through response already.*request\(\)/);
    expect((await t.request().rewrite()).upstream?.headers).toMatchObject({ 'x-from': 'rewrite' });
    await t.close();
  });

  it('stop after an exit, but for log', async () => {
    const t = await testPlugin(everyPhase, { protocol, request: { headers: { 'x-stop': '1' } } });
    const result = await t.run();
    expect(result.phases.map(({ phase }) => phase)).toEqual(['rewrite', 'access', 'log']);
    expect(result.exit).toMatchObject({
      status: 418,
      json: { message: 'stop' },
      headers: { 'x-why': 'asked', 'content-type': 'application/json; charset=utf-8' },
      by: 'plugin',
    });
    expect(result.upstream).toBeNull();
    expect(result.response).toMatchObject({ status: 418, json: { message: 'stop' } });
    expect(result.logs.map(({ message }) => message)).toEqual(['rewrite,access 418']);
    await t.request().rewrite();
    expect((await t.access()).exit?.status).toBe(418);
    await expect(t.response()).rejects.toThrow(/ended in access, so that Kong would not run response/);
    expect((await t.log()).exit).toBeNull();
    await t.close();
  });

  it('report a handler that throws, with what it threw', async () => {
    const failure = new TypeError('broken');
    const throwing = definePlugin({
      name: 'throwing',
      version: '1.0.0',
      access: async () => Promise.reject(failure),
      log() {
        throw failure;
      },
    });
    const t = await testPlugin(throwing, { protocol });
    const access = await t.access();
    expect(access.error).toMatchObject({ phase: 'access', message: 'broken', code: null, thrown: failure });
    expect(access.error?.stack).toContain('phases.test.ts');
    expect(access.exit).toMatchObject({ status: 500, by: 'plugin' });
    expect(access.logs).toMatchObject([{ level: 'error', from: 'server' }]);
    const log = await t.log();
    expect(log).toMatchObject({ exit: null, error: { phase: 'log', message: 'broken' } });
    expect((await t.request().run()).error?.phase).toBe('access');
    await t.close();
  });

  it('let a request pass where the plugin says so', async () => {
    const lenient = definePlugin({
      name: 'lenient',
      version: '1.0.0',
      onError: 'continue',
      access: () => {
        throw new Error('broken');
      },
    });
    const t = await testPlugin(lenient, { protocol });
    expect(await t.access()).toMatchObject({ exit: null, error: { message: 'broken' } });
    await t.close();
  });

  it('report a handler that takes too long', async () => {
    const slow = definePlugin({
      name: 'slow',
      version: '1.0.0',
      access: () => sleep(30_000, undefined, { ref: false }),
    });
    const t = await testPlugin(slow, { protocol, phaseTimeout: 30 });
    const { error, exit } = await t.access();
    expect(error).toMatchObject({ code: 'PHASE_TIMEOUT', thrown: undefined });
    expect(error?.message).toMatch(/ran longer than 30 ms/);
    expect(exit?.status).toBe(500);
    await t.close();
  });

  it('refuse what Kong would refuse, before anything is sent', async () => {
    const wrong = definePlugin({
      name: 'wrong',
      version: '1.0.0',
      access: async (kong) => kong.response.setStatus(1000),
    });
    const t = await testPlugin(wrong, { protocol });
    expect(await t.access()).toMatchObject({
      error: { code: 'PDK_INVALID_ARGUMENT' },
      calls: [{ function: 'response.exit', arguments: [500, expect.anything(), expect.anything()] }],
    });
    await t.close();
  });

  it('run a TCP connection and a TLS handshake', async () => {
    const stream = definePlugin({
      name: 'stream',
      version: '1.0.0',
      protocols: ['tcp', 'tls'],
      async certificate(kong) {
        await kong.ctx.shared.set('seen', true);
      },
      async preread(kong) {
        if ((await kong.client.getIp()) === '6.6.6.6') await kong.response.exit(403, 'no');
      },
      async log(kong) {
        const record = await kong.log.serialize();
        await kong.log(record.session?.status);
      },
    });
    const t = await testPlugin(stream, { protocol });
    const result = await t.run();
    expect(result).toMatchObject({ exit: null, upstream: null, response: null, failure: null });
    expect(result.phases.map(({ phase }) => phase)).toEqual(['preread', 'log']);
    expect(result.logs).toMatchObject([{ message: '200' }]);
    t.request({ request: { clientIp: '6.6.6.6' } });
    expect(await t.preread()).toMatchObject({ exit: { status: 403, text: 'no', by: 'plugin' } });
    expect((await t.log()).logs).toMatchObject([{ message: '403' }]);
    t.request({ route: { protocols: ['tls'], snis: ['secure.test'] } });
    expect((await t.run()).phases.map(({ phase }) => phase)).toEqual(['certificate', 'preread', 'log']);
    await expect(t.request({ subsystem: 'http' }).preread()).rejects.toThrow(
      /not a phase of an HTTP request/,
    );
    await t.close();
  });
});

describe('a phase that the plugin lacks', () => {
  it('is refused with those that it has', async () => {
    const t = await testPlugin(everyPhase);
    await expect(t.preread()).rejects.toMatchObject({
      code: 'TEST_MISUSE',
      message:
        'The plugin every-phase has no preread phase. It has rewrite, access, response and log; give it a preread handler or run another phase.',
    });
    await t.close();
  });
});

describe('a configuration of one route', () => {
  it('has no rewrite: Kong runs it before the route is known', async () => {
    await using t = await testPlugin(everyPhase, { scope: { route: 'some-route' } });
    await expect(t.rewrite()).rejects.toThrow(/global configurations only.*Leave scope out/);
    const override = { 'ctx.shared.get': () => [] };
    const { phases } = await t.request({ override }).run();
    expect(phases.map(({ phase }) => phase)).toEqual(['access', 'response', 'log']);
  });
});
