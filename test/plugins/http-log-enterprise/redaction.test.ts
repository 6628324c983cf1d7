import { describe, expect, it } from 'vitest';
import plugin from '../../../plugins/http-log-enterprise/index.ts';
import type { Config } from '../../../plugins/http-log-enterprise/config/schema.ts';
import { configSchema } from '../../../plugins/http-log-enterprise/config/schema.ts';
import { compileSettings } from '../../../plugins/http-log-enterprise/config/settings.ts';
import { JsonObject } from '../../../plugins/http-log-enterprise/record/document.ts';
import { createPipeline } from '../../../plugins/http-log-enterprise/record/pipeline.ts';
import { compileRedaction } from '../../../plugins/http-log-enterprise/record/redaction.ts';
import { toRaw } from '../../../plugins/http-log-enterprise/record/text.ts';
import { compileSchema } from '../../../src/kong-end/schema/index.ts';
import { memoryLog } from './support/instance.ts';
import { recordOf } from './support/records.ts';

const defaults = { mode: 'deny', defaults: true, replacement: 'REDACTED' } as const;

function redact(options: Parameters<typeof compileRedaction>[0], record: string): string {
  const document = new JsonObject(record);
  compileRedaction(options)?.(document);
  return document.toRaw();
}

describe('redaction', () => {
  it('is off unless configured', () => {
    expect(compileRedaction(undefined)).toBeNull();
  });

  it.each([{}, { redaction: null, filter: null }, { filter: {} }, { custom_fields_by_lua: {} }])(
    'is off with %j, as Kong fills it in: a record is not even parsed',
    async (given) => {
      const schema = compileSchema({
        name: 'plugins',
        fields: plugin.schema.fields,
      } as unknown as Parameters<typeof compileSchema>[0]);
      const { value } = schema.process({ config: { http_endpoint: 'http://h/', ...given } }) as unknown as {
        value: { config: object };
      };
      const config = plugin.parseConfig(JSON.parse(JSON.stringify(value.config))) as Config;
      const pipeline = await createPipeline(compileSettings(config), {
        log: memoryLog().log,
        wall: () => 0,
        random: Math.random,
        fieldFailed: () => undefined,
      });
      expect(pipeline.prepare('no JSON at all')).toEqual(Buffer.from('no JSON at all'));
      expect(pipeline.wantsAuthorization).toBe(false);
      await pipeline.close();
    },
  );

  it('takes a replacement that is not UTF-8', () => {
    expect(redact({ ...defaults, replacement: '\udcff' }, '{"request":{"uri":"/?key=1"}}')).toBe(
      '{"request":{"uri":"/?key=%EF%BF%BD"}}',
    );
  });

  it('cleans every place where Kong repeats the query string', () => {
    const kongs = toRaw(recordOf('protobuf-log-phase'));
    expect(kongs).toContain('alicekey');
    const cleaned = redact(defaults, kongs);
    expect(cleaned).not.toContain('alicekey');
    expect(cleaned).toContain('"upstream_uri":"/base?foo=bar&foo=baz&flag&empty=&apikey=REDACTED"');
    expect(cleaned).toContain('"apikey":"REDACTED"');
  });

  it('finds arguments that are written with percent signs or capitals, and links in headers', () => {
    const record =
      '{"request":{"uri":"/?API%4Bey=1&a=2","headers":{"referer":"https://x/?token=t#top"}},"upstream_uri":"/"}';
    expect(redact(defaults, record)).toBe(
      '{"request":{"uri":"/?API%4Bey=REDACTED&a=2","headers":{"referer":"https://x/?token=REDACTED#top"}},"upstream_uri":"/"}',
    );
  });

  it('finds arguments that are lists', () => {
    const record = '{"request":{"uri":"/?token[]=t&a[b]=2","querystring":{"token[]":"t","a[b]":"2"}}}';
    expect(redact(defaults, record)).toBe(
      '{"request":{"uri":"/?token[]=REDACTED&a[b]=2","querystring":{"token[]":"REDACTED","a[b]":"2"}}}',
    );
  });

  it('knows the usual secrets in whatever case a header or argument is written', () => {
    const record =
      '{"request":{"headers":{"X-Api-Key":"a","cookie":"b"},"querystring":{"Token":"c"}},"response":{"headers":{"set-cookie":["d","e"]}}}';
    expect(redact(defaults, record)).toBe(
      '{"request":{"headers":{"X-Api-Key":"REDACTED","cookie":"REDACTED"},"querystring":{"Token":"REDACTED"}},"response":{"headers":{"set-cookie":"REDACTED"}}}',
    );
  });

  it('keeps out of the event hook what it keeps out of the records', async () => {
    const config = {
      http_endpoint: 'http://127.0.0.1/',
      redaction: { ...defaults, json_paths: ['consumer.custom_id'] },
    };
    const pipeline = await createPipeline(compileSettings(configSchema.parse(config)), {
      log: memoryLog().log,
      wall: () => 0,
      random: Math.random,
      fieldFailed: () => undefined,
    });
    expect(pipeline.event('{"consumer":{"username":"alice","custom_id":"c"},"client_ip":"::1"}')).toEqual({
      consumer: { username: 'alice', custom_id: 'REDACTED' },
      ip: '::1',
      service: {},
      route: {},
    });
    await pipeline.close();
  });

  it('keeps only what an allow list names', () => {
    const record =
      '{"request":{"headers":{"host":"h","x-secret":"s"},"querystring":{"a":"1","b":"2"},"uri":"/?a=1&b=2"}}';
    expect(redact({ ...defaults, mode: 'allow', headers: ['Host'], query_args: ['a'] }, record)).toBe(
      '{"request":{"headers":{"host":"h","x-secret":"REDACTED"},"querystring":{"a":"1","b":"REDACTED"},"uri":"/?a=1&b=REDACTED"}}',
    );
  });

  it('follows JSON paths, with a star for every item', () => {
    const record = '{"consumer":{"custom_id":"c"},"tries":[{"ip":"1"},{"ip":"2"}]}';
    expect(redact({ ...defaults, json_paths: ['consumer.custom_id', 'tries.*.ip', 'no.such'] }, record)).toBe(
      '{"consumer":{"custom_id":"REDACTED"},"tries":[{"ip":"REDACTED"},{"ip":"REDACTED"}]}',
    );
    expect(redact({ ...defaults, mode: 'allow', json_paths: ['tries.*.ip'] }, record)).toBe(
      '{"tries":[{"ip":"1"},{"ip":"2"}]}',
    );
  });
});
