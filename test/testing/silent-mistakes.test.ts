import { describe, expect, it } from 'vitest';
import { definePlugin, z } from '../../src/index.ts';
import { LateCalls } from '../../src/server/connection/late-calls.ts';
import { EventHooks } from '../../src/event-hooks/client/hub.ts';
import { testPlugin } from '../../src/testing/index.ts';
import { kongTsError } from '../support/errors.ts';

const base = { name: 'slips', version: '1.0.0' } as const;
/** As JavaScript writes it, which no compiler looks at. */
const loosely = (definition: object): unknown => definePlugin({ ...base, ...definition } as never);

describe('a definition', () => {
  it.each<[string, object, RegExp]>([
    [
      'a handler with a slip in its name',
      { acess() {} },
      /it has "acess", which means nothing\. Did you mean access\?/,
    ],
    [
      'an option with a slip in its name',
      { access() {}, onerror: 'fail' },
      /"onerror".*Did you mean onError\?/,
    ],
    [
      'a handler that phases does not name',
      { access() {}, log() {}, phases: ['log'] },
      /for access, which phases does not name/,
    ],
    [
      'a handler beside setup',
      { phases: ['log'], setup: () => ({ log() {} }), access() {} },
      /setup, and a handler for access beside it/,
    ],
    [
      'an attribute with a slip in its name',
      { access() {}, config: z.object({ token: z.string().meta({ encryted: true }) }) },
      /config\.token: \.meta\(\{ encryted \}\) means nothing to Kong\. Did you mean encrypted\?/,
    ],
    [
      'an attribute of all that means nothing',
      { access() {}, config: z.object({}).meta({ entity_check: [] }) },
      /config: \.meta\(\{ entity_check \}\).*Did you mean entity_checks\?/,
    ],
  ])('is refused with %s', (_what, definition, message) => {
    expect(() => loosely(definition)).toThrow(message);
  });

  it('may be an object of a class, which has what it likes', () => {
    class Own {
      readonly name = 'own';
      readonly version = '1.0.0';
      readonly count = 0;
      access(): void {}
    }
    expect(definePlugin(new Own())).toMatchObject({ phases: ['access'] });
  });

  it('may have annotations of JSON Schema and of others', () => {
    const config = z.object({ a: z.string().meta({ title: 'A', deprecated: true, 'x-order': 1 }) });
    expect(definePlugin({ ...base, config, access() {} }).schema.fields).toBeDefined();
  });
});

describe('setup', () => {
  it('is refused with a handler for any phase that is not announced', async () => {
    const plugin = loosely({ phases: ['access'], setup: () => ({ access() {}, log() {} }) });
    await expect(testPlugin(plugin as never)).rejects.toThrow(/a handler for log, which Kong never calls/);
  });
});

describe('a call after the end of its event', () => {
  it('is said with the line that calls, once for each place', async () => {
    const late: (() => Promise<unknown>)[] = [];
    const plugin = definePlugin({
      ...base,
      async access(kong) {
        late.push(async () => kong.response.setHeader('a', '1').catch(() => null));
        late.push(async () => kong.response.setHeader('b', '2').catch(() => null));
      },
    });
    await using t = await testPlugin(plugin);
    await t.access();
    for (const call of [...late, ...late]) await call();
    const warnings = t.logs.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(
      /^slips, access: kong\.response\.setHeader\(\) was called after the event had ended/,
    );
  });

  it('costs no memory without end', () => {
    let lines = 0;
    const calls = new LateCalls({ warn: () => lines++ });
    for (let index = 0; index < 5000; index++) {
      const refusal = new Error('late');
      refusal.stack = `Error: late\n    at f (/plugins/p.ts:${String(index + 1)}:1)`;
      calls.add('p', 'access', refusal);
    }
    expect(lines).toBe(1000);
  });
});

describe('an event that nothing has published', () => {
  it('is told of once, whether somebody listens to it or not', () => {
    const hub = new EventHooks();
    const heard: string[] = [];
    hub.onUndeclared((source, event) => heard.push(`${source} ${event}`));
    hub.publish('s', 'known', { fields: ['a'] });
    for (let index = 0; index < 3; index++) {
      hub.emit('s', 'known', { a: 1 });
      hub.emit('s', 'unknown', { a: 1 });
    }
    expect(heard).toEqual(['s unknown']);
  });
});

describe('a test', () => {
  const plugin = definePlugin({ ...base, access() {} });

  it('is refused options that there are none of', async () => {
    const options = (given: object) => testPlugin(plugin, given);
    await expect(options({ confg: {} })).rejects.toThrow(
      kongTsError('TEST_MISUSE', /"confg"\. Did you mean config\?/),
    );
    await expect(options({ request: { header: {} } })).rejects.toThrow(
      /request has no option "header"\. Did you mean headers\?/,
    );
    await expect(options({ response: { code: 200 } })).rejects.toThrow(/response has no option "code"/);
    await using t = await options({});
    expect(() => t.request({ rout: {} } as never)).toThrow(/"rout"\. Did you mean route\?/);
  });
});
