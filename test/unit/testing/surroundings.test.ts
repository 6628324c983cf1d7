import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { definePlugin, eventHooks, z } from '../../../src/index.ts';
import { testPlugin } from '../../../src/testing/index.ts';
import { protocols, withAccess } from './plugins.ts';

const closed: string[] = [];

const counting = definePlugin({
  name: 'counting',
  version: '1.0.0',
  config: z.object({ limit: z.number().int().default(2), label: z.string() }),
  phases: ['access'],
  setup({ config, log, metrics, dataDir, instance }) {
    const requests = metrics.counter('requests_total', { help: 'Requests.' });
    log.info('set up', { dataDir, id: instance.pluginId });
    let count = 0;
    return {
      async access(kong) {
        requests.add();
        if (++count > config.limit) await kong.response.exit(429, { label: config.label });
      },
      close: () => closed.push(config.label),
    };
  },
});

describe.each(protocols)('a plugin with state over %s', (protocol) => {
  beforeEach(() => void closed.splice(0));

  it('keeps it between requests, sees its surroundings, and is closed', async () => {
    const t = await testPlugin(counting, { protocol, config: { label: 'first' }, dataDir: '/data' });
    expect(t.config).toEqual({ limit: 2, label: 'first' });
    expect(t.logs.filter(({ from }) => from === 'plugin')).toMatchObject([
      {
        from: 'plugin',
        level: 'info',
        message: 'set up',
        fields: { dataDir: '/data', id: expect.any(String) as string },
      },
    ]);
    expect((await t.access()).exit).toBeNull();
    expect((await t.request().access()).exit).toBeNull();
    expect((await t.request().access()).exit).toMatchObject({ status: 429, json: { label: 'first' } });
    expect(t.metrics).toMatchObject([
      { name: 'requests_total', type: 'counter', values: [{ labels: { plugin: 'counting' }, value: 3 }] },
    ]);
    await t.configure({ label: 'second', limit: 0 });
    expect((await t.access()).exit).toMatchObject({ json: { label: 'second' } });
    expect(closed.splice(0)).toEqual(['first']);
    await t.close();
    expect(closed.splice(0)).toEqual(['second']);
  });

  it('is refused a configuration by Kong, with the field named', async () => {
    const refusal = testPlugin(counting, { protocol, config: { limit: 'many', bogus: 1 } });
    await expect(refusal).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message:
        'Kong refuses the configuration of counting: config.limit: expected an integer; config.bogus: unknown field; config.label: required field missing.',
    });
    await using t = await testPlugin(counting, { protocol, config: { label: 'x' } });
    await expect(t.configure({ label: 5 })).rejects.toThrow(/config\.label: expected a string/);
    expect((await t.access()).exit).toBeNull();
  });

  it('is refused by its own schema or setup', async () => {
    const strict = definePlugin({
      name: 'strict',
      version: '1.0.0',
      config: z.object({ even: z.number().refine((n) => n % 2 === 0, 'must be even') }),
      phases: ['access'],
      setup({ config }) {
        if (config.even === 4) throw new Error('not four');
        return { access: () => undefined };
      },
    });
    await expect(testPlugin(strict, { protocol, config: { even: 3 } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('must be even') as string,
    });
    await expect(testPlugin(strict, { protocol, config: { even: 4 } })).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('not four') as string,
    });
    await using t = await testPlugin(strict, { protocol, config: { even: 2 } });
    await expect(t.configure({ even: 4 })).rejects.toMatchObject({ code: 'SETUP_FAILED' });
  });
});

describe('the environment', () => {
  it('is set for the plugin and its vault, and put back', async () => {
    const plugin = withAccess(async (kong) => {
      const secret = await kong.vault.get('{vault://env/kong-ts-test-secret}');
      await kong.response.exit(200, { secret, seen: process.env['KONG_TS_TEST_SECRET'] ?? null });
    });
    const t = await testPlugin(plugin, { env: { KONG_TS_TEST_SECRET: 's3cret' } });
    expect((await t.access()).exit?.json).toEqual({ secret: 's3cret', seen: 's3cret' });
    await t.close();
    expect(process.env).not.toHaveProperty('KONG_TS_TEST_SECRET');
  });
});

describe('event hooks', () => {
  const emitting = withAccess(() => {
    if (eventHooks.wants('demo', 'costly')) eventHooks.emit('demo', 'costly', { big: true });
    eventHooks.emit('demo', 'done', () => ({ n: 1, missing: undefined }));
  });

  it('are caught by phase', async () => {
    const t = await testPlugin(emitting);
    expect((await t.access()).events).toEqual([
      { source: 'demo', event: 'costly', data: { big: true } },
      { source: 'demo', event: 'done', data: { n: 1 } },
    ]);
    expect((await t.request().run()).events).toHaveLength(2);
    await t.close();
    expect(eventHooks.transport).toBeNull();
  });

  it('are wanted by whom the test says', async () => {
    await using none = await testPlugin(emitting, { eventHooks: 'none' });
    expect((await none.access()).events).toEqual([]);
    await using some = await testPlugin(emitting, { eventHooks: (_source, event) => event === 'done' });
    expect((await some.access()).events).toMatchObject([{ event: 'done' }]);
  });
});

describe('a plugin file', () => {
  it('is loaded as the server does', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-testing-'));
    const text = "import { definePlugin } from 'kong-ts';\n";
    writeFileSync(
      path.join(folder, 'filed.ts'),
      `${text}export default definePlugin({ name: 'filed', version: '1.0.0', access: (kong) => kong.log('here') });\n`,
    );
    await using byPath = await testPlugin('./filed.ts', { cwd: folder });
    expect((await byPath.access()).logs).toMatchObject([{ level: 'notice', message: 'here' }]);
    await using byUrl = await testPlugin(pathToFileURL(path.join(folder, 'filed.ts')));
    expect(byUrl.plugin.name).toBe('filed');
    await expect(testPlugin('./none.ts', { cwd: folder })).rejects.toMatchObject({
      code: 'PLUGIN_NOT_FOUND',
    });
    rmSync(folder, { recursive: true });
  });

  it('may come with the package', async () => {
    await using t = await testPlugin('http-log-enterprise', {
      config: { http_endpoint: 'http://127.0.0.1:1/' },
    });
    expect(t.config).toMatchObject({ method: 'POST', timeout: 10_000 });
  });

  it('may be written for kong-pdk', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-testing-'));
    const text = `class P { constructor(config) { this.config = config; }
      async access(kong) { await kong.response.setHeader('x-old', this.config.text + (await kong.request.getHeader('host'))); } }
      module.exports = { Plugin: P, Schema: [{ text: { type: 'string' } }], Version: '0.1.0', Priority: 1 };`;
    writeFileSync(path.join(folder, 'old.cjs'), text);
    const options = { cwd: folder, config: { text: 'at ' } };
    await using t = await testPlugin('./old.cjs', {
      ...options,
      override: { 'request.getHeader': () => 'home' },
    });
    expect((await t.access()).response?.headers).toMatchObject({ 'x-old': 'at home' });
    await expect(testPlugin('./old.cjs', { ...options, protocol: 'protobuf' })).rejects.toThrow(
      /MsgPack:1 only/,
    );
    rmSync(folder, { recursive: true });
  });

  it('is asked for when there is none', async () => {
    await expect(testPlugin({} as never)).rejects.toThrow(/the default export of your plugin file/);
    await expect(testPlugin(counting, { protocol: 'grpc' as never })).rejects.toThrow(
      /"protobuf" or "msgpack"/,
    );
  });
});
