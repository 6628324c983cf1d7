import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kongTsError } from '../../support/errors.ts';
import { runPhase as run } from '../../support/kong-pdk.ts';
import { loadPlugin } from '../../../src/plugin/loader.ts';
import { loadFolder } from '../../../src/plugin/kong-pdk/folder.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-kong-pdk-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const full = path.join(folder, name);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

const source = (body: string, more = ''): string =>
  `class KongPlugin { constructor(config) { this.config = config } ${body} }
module.exports = { Plugin: KongPlugin, Schema: [{ message: { type: 'string' } }], Version: '0.1.0', Priority: 10, ${more} }\n`;

describe('plugins written for kong-pdk', () => {
  it.each([
    ['field.js', 'access = async (kong) => kong.response.exit(401); log() {}'],
    ['static.js', 'static async access(kong) {} log() {}'],
    ['quoted.js', "'access' = 1; log() {}"],
  ])('do not load with a handler that Kong would never call: %s', async (name, body) => {
    await expect(loadPlugin(file(`hidden/${name}`, source(body)))).rejects.toThrow(
      kongTsError('PLUGIN_INVALID', /its class Plugin has access, but not as a method/),
    );
  });

  it('do not start with a handler that their constructor sets', async () => {
    const text = `class KongPlugin { constructor() { this.access = async () => {} } log() {} }
module.exports = { Plugin: KongPlugin, Schema: [], Version: '0.1.0', Priority: 10 }\n`;
    const plugin = await loadPlugin(file('hidden/constructor.js', text));
    const instance = {
      pluginId: null,
      seq: null,
      key: null,
      workspaceId: null,
      routeId: null,
      serviceId: null,
    };
    await expect(
      plugin.setup({ config: {}, instance: { ...instance, consumerId: null } } as never),
    ).rejects.toThrow(/has access, but not as a method/);
  });

  it.each([
    ['names/name.js', "Name: 'a,b'", /Name is "a,b"/],
    ['names/line.js', String.raw`Name: 'a\nplugins = evil'`, /Name is "a\\nplugins/],
    ['names/number.js', 'Name: 5', /Name is 5/],
    ['names/my plugin.js', '', /its file's name is "my plugin"/],
  ])('do not load under a name that Kong cannot have in its configuration: %s', async (name, more, text) => {
    await expect(loadPlugin(file(name, source('access() {}', more)))).rejects.toThrow(
      kongTsError('PLUGIN_INVALID', text),
    );
  });

  it('become plugins by their exports', async () => {
    const plugin = await loadPlugin(
      file('Hello.js', source('async access(kong) {} async log(kong) {} other() {}')),
    );
    expect(plugin).toMatchObject({
      name: 'hello',
      version: '0.1.0',
      priority: 10,
      protocol: 'msgpack',
      phases: ['access', 'log'],
      onError: 'continue',
      schema: {
        name: 'hello',
        fields: [{ config: { type: 'record', required: true, fields: [{ message: { type: 'string' } }] } }],
      },
    });
    expect((await loadPlugin(file('in-folder/index.js', source('access() {}')))).name).toBe('in-folder');
    expect((await loadPlugin(file('named.js', source('access() {}', "Name: 'Other'")))).name).toBe('other');
  });

  it('call functions by camelCase path, with their arguments as they are', async () => {
    const text = source(`async access(kong) {
      await kong.log('plain', 1);
      await Promise.all([
        kong.response.setHeader('x-a', 1),
        kong.service.request.setHeaders({ a: ['b'] }),
        kong.ctx.shared.set('k', { v: null }),
        kong.nginx.getTls1VersionStr(),
        kong.table.clear(),
      ]);
      return kong.request.getHeader('x');
    }`);
    const { calls, result } = await run(await loadPlugin(file('names.js', text)), 'access', {
      'kong.request.get_header': 'value',
    });
    expect(result).toBe('value');
    expect(calls).toEqual([
      ['kong.log', 'plain', 1],
      ['kong.response.set_header', 'x-a', 1],
      ['kong.service.request.set_headers', { a: ['b'] }],
      ['kong.ctx.shared.set', 'k', { v: null }],
      ['kong.nginx.get_tls1_version_str'],
      ['kong.table.clear'],
      ['kong.request.get_header', 'x'],
    ]);
  });

  it('get undefined for what is absent, arrays from multi maps, and bodies that are text and bytes', async () => {
    const text = source(`async access(kong) {
      const body = await kong.request.getRawBody();
      return {
        absent: await kong.request.getHeader('x'),
        headers: await kong.request.getHeaders(),
        upper: body.replace(/b/, 'B'),
        joined: 'got ' + body,
        bytes: body instanceof Uint8Array && Buffer.isBuffer(body),
        length: body.length,
      };
    }`);
    const { result } = await run(await loadPlugin(file('values.js', text)), 'access', {
      'kong.request.get_header': null,
      'kong.request.get_headers': { a: ['1'] },
      'kong.request.get_raw_body': Buffer.from('body'),
    });
    expect(result).toEqual({
      absent: undefined,
      headers: { a: ['1'] },
      upper: 'Body',
      joined: 'got body',
      bytes: true,
      length: 4,
    });
  });

  it('go on after an exit, as they did, without reaching Kong', async () => {
    const text = source(`async access(kong) {
      const returned = await kong.response.exit(403, 'no');
      const later = await kong.response.setHeader('a', 'b').catch((error) => error.message);
      return [returned, later];
    }`);
    const { calls, result } = await run(await loadPlugin(file('exit.js', text)), 'access');
    expect(calls).toEqual([['kong.response.exit', 403, 'no']]);
    expect(result).toEqual([undefined, 'the event is over']);
  });

  it('see a failed call as a PDKError', async () => {
    const text = source(`async access(kong) {
      return kong.client.loadConsumer('x').catch((error) => error.name + ': ' + error.message);
    }`);
    const { result } = await run(await loadPlugin(file('failed.js', text)), 'access', {
      'kong.client.load_consumer': new Error('no such consumer'),
    });
    expect(result).toBe('PDKError: PDK method kong.client.load_consumer failed:  no such consumer');
  });

  it('make no call in log that Kong would raise at: it leaves the data of the request for later ones', async () => {
    const text = source(`async log(kong) {
      const said = async (call) => { try { return await call; } catch (error) { return error.message; } };
      return [
        await said(kong.client.getIp()),
        await said(kong.response.exit(200)),
        await said(kong.request.getHeader(5)),
        await said(kong.nginx.setCtx('KONG_PHASE', 1)),
        await said(kong.version()),
        await said(kong.service.response.getStatus()),
        await said(kong.log()),
        await said(kong.request.getHeader('a')),
      ];
    }`);
    const { calls, result } = await run(await loadPlugin(file('raises.js', text)), 'log', {
      'kong.log.serialize': '{"upstream_status":"502, 201"}',
      'kong.request.get_header': 'x',
    });
    expect(result).toEqual([
      expect.stringContaining('cannot be called in the log phase'),
      expect.stringContaining('cannot be called in the log phase'),
      expect.stringContaining('name must be a header name'),
      expect.stringContaining('no name that Kong itself works with'),
      undefined,
      201,
      undefined,
      'x',
    ]);
    expect(calls).toEqual([['kong.log.serialize'], ['kong.log', ''], ['kong.request.get_header', 'a']]);
  });

  it('do not set in any phase what makes Kong raise in the log phase', async () => {
    const text = source("async access(kong) { await kong.nginx.setCtx('KONG_PHASE', 1); }");
    const plugin = await loadPlugin(file('owned.js', text));
    await expect(run(plugin, 'access')).rejects.toThrow(/no name that Kong itself works with/);
  });

  it("get the configuration with Kong's own fields", async () => {
    const plugin = await loadPlugin(file('config.js', source('access() { return this.config }')));
    const { result } = await run(plugin, 'access', {}, { message: 'hi', absent: null });
    expect(result).toEqual({
      message: 'hi',
      absent: null,
      __plugin_id: 'plugin-1',
      __ws_id: 'ws-1',
      __seq__: 3,
      service_id: 'service-1',
    });
  });

  it('may be TypeScript that imports types and exports as CommonJS, with enums', async () => {
    file('helper.js', 'exports.shout = (text) => text.toUpperCase();');
    const text = `'use strict';
import kong from "../kong"
import type { Other } from 'nowhere';
import { shout as loud } from './helper';
import * as os from 'node:os';
enum Level { Low = 'low' }
class KongPlugin {
  constructor(private readonly config: any) {}
  async access(kong: kong) { return [loud(this.config.message), Level.Low, typeof os.cpus]; }
}
module.exports = { Plugin: KongPlugin, Name: 'typed', Version: '0.1.0' }
`;
    const plugin = await loadPlugin(file('typed.ts', text));
    expect(plugin).toMatchObject({ name: 'typed', priority: 0 });
    expect((await run(plugin, 'access', {}, { message: 'hi' })).result).toEqual(['HI', 'low', 'function']);
  });

  it('are refused with the reason', async () => {
    const error = (pattern: RegExp): Error => kongTsError('PLUGIN_INVALID', pattern);
    await expect(loadPlugin(file('none.js', source('other() {}')))).rejects.toThrow(
      error(/none\.js: its class Plugin has no handler/),
    );
    await expect(loadPlugin(file('bad.js', source('access() {}', 'Schema: {}')))).rejects.toThrow(
      error(/bad\.js: Schema is not an array/),
    );
  });

  it('are found in a folder; what does not load is reported and left out', async () => {
    file('all/one.js', source('access() {}'));
    file('all/two/index.js', source('access() {}'));
    file('all/three/package.json', '{"main":"main.js"}');
    file('all/three/main.js', source('access() {}', "Name: 'three'"));
    file('all/same.js', source('access() {}', "Name: 'one'"));
    file('all/broken.js', 'throw new Error("broken");');
    file('all/.hidden.js', 'throw new Error("hidden");');
    file('all/types.d.ts', 'export {};');
    file('all/notes.md', '# notes');
    file('all/node_modules/x/index.js', 'throw new Error("modules");');
    const warnings: string[] = [];
    const found = await loadFolder(path.join(folder, 'all'), (text) => warnings.push(text));
    expect(found.map(({ plugin }) => plugin.name).sort()).toEqual(['one', 'three', 'two']);
    expect(warnings).toHaveLength(2);
    expect(warnings.join('\n')).toMatch(/broken\.js:1 cannot be loaded: broken/);
    expect(warnings.join('\n')).toMatch(/same\.js has the same name and is left out/);
  });
});
