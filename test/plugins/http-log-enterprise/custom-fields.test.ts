import { access } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LuaThread } from '../../../src/lua/index.ts';
import { ThreadLost } from '../../../src/lua/index.ts';
import type { CustomFields } from '../../../plugins/http-log-enterprise/record/custom-fields.ts';
import { compileCustomFields } from '../../../plugins/http-log-enterprise/record/custom-fields.ts';
import { JsonObject } from '../../../plugins/http-log-enterprise/record/document.ts';
import type { FieldsJob, FieldsReply } from '../../../plugins/http-log-enterprise/record/fields/protocol.ts';
import type { Client } from '../../../plugins/http-log-enterprise/record/fields/service.ts';
import { FieldService } from '../../../plugins/http-log-enterprise/record/fields/service.ts';
import { normalPath } from '../../../plugins/http-log-enterprise/record/normal-path.ts';
import { toRaw } from '../../../plugins/http-log-enterprise/record/text.ts';

const opened: CustomFields[] = [];
afterEach(async () => {
  for (const fields of opened.splice(0)) await fields.close();
});

const quiet = { debug() {}, info() {}, notice() {}, warn() {}, error() {} };

/** Keeps the thread running from one test to the next. */
let keeper: CustomFields | null = null;
beforeAll(async () => {
  keeper = await compileCustomFields([['n', 'return 1']], quiet, Date.now, () => undefined);
});
afterAll(() => keeper?.close());

async function compile(sources: Record<string, string>, failures: string[] = []): Promise<CustomFields> {
  const fields = await compileCustomFields(Object.entries(sources), quiet, Date.now, (field, problem, kind) =>
    failures.push(`${field} ${kind}: ${problem instanceof Error ? problem.message : String(problem)}`),
  );
  if (fields === null) throw new Error('no fields');
  opened.push(fields);
  return fields;
}

const request = {
  request: {
    uri: '/a//b/../%7Ec%2Fd?x=1&y',
    url: 'https://api.example.com:8443/a//b/../%7Ec%2Fd?x=1&y',
    method: 'GET',
    querystring: { x: '1', y: true },
    headers: {
      authorization: 'REDACTED',
      'x-multi': ['one', 'two'],
      host: 'api.example.com',
      odd: 'h\u00e9',
    },
  },
  response: { status: 200, headers: { via: '1.1 kong/3.9.3', 'x-a': 'b' } },
  started_at: 1_700_000_000_123,
  client_ip: '127.0.0.1',
};

/** The field `v` of the record, as JSON. */
async function valueOf(source: string, record: object = request): Promise<string> {
  const failures: string[] = [];
  const fields = await compile({ v: source }, failures);
  const document = new JsonObject(toRaw(JSON.stringify(record)));
  await fields.apply(document, 'Basic c2VjcmV0');
  const value = document.get('v');
  return failures[0] ?? (value === undefined ? 'nil' : typeof value === 'string' ? value : value.toRaw());
}

describe('custom fields answer as in http-log', () => {
  it.each([
    ['kong.request.get_path()', '"/a/~c%2Fd"'],
    ['kong.request.get_forwarded_path()', '"/a/~c%2Fd"'],
    ['kong.request.get_raw_path()', '"/a//b/../%7Ec%2Fd"'],
    ['kong.request.get_raw_query()', '"x=1&y"'],
    ['kong.request.get_host()', '"api.example.com"'],
    ['kong.request.get_forwarded_host()', '"api.example.com"'],
    ['kong.request.get_port()', '8443'],
    ['kong.request.get_scheme()', '"https"'],
    ['kong.request.get_header("Authorization")', '"Basic c2VjcmV0"'],
    ['kong.request.get_header("X_Multi")', '"one"'],
    ['kong.request.get_headers(1)', '{"authorization":"Basic c2VjcmV0"}'],
    ['kong.request.get_query_arg("y")', 'true'],
    ['kong.log.serialize().request.headers.authorization', '"REDACTED"'],
    ['kong.version', '"3.9.3"'],
    ['kong.version_num', '3009003'],
    ['kong.table.merge({a = 1}, {a = 2})', '{"a":2}'],
    ['ngx.status', '200'],
    ['ngx.header["X_A"]', '"b"'],
    ['ngx.null', 'null'],
    ['{ngx.null, 1}', '[null,1]'],
    ['{1, nil, 3}', '[1,null,3]'],
    ['1e15', '1e+15'],
    ['tostring(1e15)', '"1e+15"'],
    ['10 / 2 .. ""', '"5"'],
    ['#kong.request.get_header("odd")', '3'],
    [String.raw`ngx.encode_base64("h\195\169\255")`, '"aMOp/w=="'],
    [String.raw`#ngx.decode_base64("aMOp/w==")`, '4'],
    ['ngx.decode_base64("!")', 'nil'],
    [String.raw`ngx.md5("\255")`, '"00594fd4f42ba43fc1ca0427a0576295"'],
    ['#ngx.md5_bin("x") + #ngx.sha1_bin("x") + #ngx.hmac_sha1("k", "x")', '56'],
    ['ngx.crc32_short("hello")', '907060870'],
    [String.raw`ngx.escape_uri("a b/\255")`, '"a%20b%2F%FF"'],
    ['ngx.unescape_uri("a%20b%zz%2")', '"a b%zz%2"'],
    [
      String.raw`ngx.escape_uri("!'()*~-._ $&+,/:;=?@[]{}|\\^<>#%")`,
      String.raw`"!'()*~-._%20%24%26%2B%2C%2F%3A%3B%3D%3F%40%5B%5D%7B%7D%7C%5C%5E%3C%3E%23%25"`,
    ],
    [String.raw`ngx.escape_uri("/a b?c#d%e+<{~\233", 0)`, '"/a%20b%3Fc%23d%25e+<{~%E9"'],
    ['ngx.escape_uri("a+b", 1)', '"a%2Bb"'],
    ['ngx.decode_args("=x&&a=1&=")', '{"a":"1"}'],
    ['ngx.cookie_time(784111777)', '"Sun, 06-Nov-94 08:49:37 GMT"'],
    ['ngx.parse_http_time("Sunday, 06-Nov-94 08:49:37 GMT")', '784111777'],
    ['ngx.parse_http_time("Sun Nov  6 08:49:37 1994")', '784111777'],
    ['ngx.parse_http_time("1994")', 'nil'],
    ['ngx.parse_http_time("Sun, 31 Apr 1994 08:49:37 GMT")', 'nil'],
    ['ngx.http_time(1.9)', '"Thu, 01 Jan 1970 00:00:01 GMT"'],
    ['kong.vault.is_reference("{vault://env/x}")', 'true'],
    ['ngx.HTTP_GONE + ngx.HTTP_TRACE', '33178'],
    ['ngx.http_time(0)', '"Thu, 01 Jan 1970 00:00:00 GMT"'],
    ['ngx.parse_http_time("Thu, 01 Jan 1970 00:00:10 GMT")', '10'],
    ['ngx.encode_args({a = "b c"})', '"a=b%20c"'],
    ['ngx.decode_args("a=b%20c&d")', '{"a":"b c","d":true}'],
    ['#ngx.today() + #ngx.localtime() + #ngx.utctime()', '48'],
    ['ngx.req.start_time()', '1700000000.123'],
    ['ngx.req.get_uri_args()', '{"x":"1","y":true}'],
    ['bit.band(0xff, 0x0f)', '15'],
    ['ngx.ERR', '4'],
    [String.raw`ngx.quote_sql_str("a'b\n")`, String.raw`"'a\\'b\\n'"`],
    ['ngx.md5(1e15) == ngx.md5("1e+15")', 'true'],
  ])('%s is %s', async (expression, json) => {
    const value = await valueOf(`return ${expression}`);
    // The order of an object's members is Lua's.
    if (json.startsWith('{')) expect(JSON.parse(value)).toEqual(JSON.parse(json));
    else expect(value).toBe(json);
  });

  it.each([
    ['return kong.request.get_headers(0)', /max_headers must be >= 1/],
    ['return kong.request.get_header(1)', /header name must be a string/],
    ['return kong.request.get_raw_body()', /cannot be had in the log phase/],
    ['return ngx.re.match("a", "b")', /There is no PCRE here: use string.match/],
    ['return ngx.http_time("x")', /number expected/],
    ['return ngx.escape_uri("x", 9)', /types of ngx.escape_uri/],
    ['return kong.response.exit(200)', /cannot be had in the log phase/],
    ['return ngx.var.uri', /ngx.var cannot be had/],
    ['return kong.ctx.shared', /kong.ctx cannot be had/],
    ['return 0/0', /must not be NaN or Infinity/],
    ['return 1, 2', /attempt to index local 'options' \(a number value\)/],
    ['return 1, {mode = "x"}', /mode must be/],
    ['return function() end', /non-self-referencial/],
  ])('what http-log cannot do leaves the field as it was: %s', async (source, problem) => {
    expect(await valueOf(source)).toMatch(problem);
  });

  it('a second result is the options of set_serialize_value', async () => {
    const set = await compile({
      client_ip: 'return "x", {mode = "add"}',
      n: 'return 1, {mode = "replace"}',
      m: 'return 1, {mode = "add"}',
    });
    const record = new JsonObject('{"client_ip":"::1"}');
    await set.apply(record, null);
    expect(record.toRaw()).toBe('{"client_ip":"::1","m":1}');
  });

  it('requests that nginx refused have empty values', async () => {
    const refused = {
      request: { uri: '', url: 'http://:8000', method: 'GET', querystring: {}, headers: {} },
    };
    expect(
      await valueOf('return kong.request.get_path() .. "|" .. kong.request.get_host() .. "|"', refused),
    ).toBe('"||"');
    expect(await valueOf('return kong.request.get_header("host")', refused)).toBe('nil');
  });

  it.each([
    ['return 7 // 2', /unexpected symbol near '\/'/],
    ['local x <const> = 1', /unexpected symbol near '<'/],
    ['return 7 & 2', /near '&'/],
    ['\u001bLJ', /unexpected symbol/],
    ['break', /no loop to break/],
  ])('what does not compile in Kong is refused: %s', async (source, problem) => {
    await expect(compile({ good: 'return 1', bad: source })).rejects.toThrow(problem);
    await expect(compile({ good: 'return 1', bad: source })).rejects.toThrow(
      /custom_fields_by_lua.bad: Error parsing/,
    );
  });
});

describe('paths as Kong normalizes them', () => {
  it.each([
    ['', ''],
    ['/', '/'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../b', '/b'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/a//b///c/', '/a/b/c/'],
    ['/%61%2f%2F', '/a%2F%2F'],
    ['/%2e%2e/x', '/x'],
    ['*', '*'],
  ])('%s is %s', (path, normal) => {
    expect(normalPath(path)).toBe(normal);
  });
});

describe('the thread', () => {
  it('keeps nobody waiting: others run while a field does not end', async () => {
    const failures: string[] = [];
    const fields = await compile({ slow: 'while true do end', good: 'return 1' }, failures);
    const record = new JsonObject('{}');
    const order: string[] = [];
    // After a file's callback the immediate comes first, however busy the machine is; only what blocks comes before it.
    await access('.');
    setImmediate(() => order.push('others'));
    await fields.apply(record, null).then(() => order.push('field'));
    expect(order).toEqual(['others', 'field']);
    expect(record.toRaw()).toBe('{"good":1}');
    expect(failures[0]).toMatch(/slow failed: .*time limit/);
  });

  it('keeps the order of the records', async () => {
    const fields = await compile({ n: 'return kong.log.serialize().i' });
    const done: number[] = [];
    const all = Array.from({ length: 300 }, (_, i) =>
      fields.apply(new JsonObject(`{"i":${i}}`), null).then(() => done.push(i)),
    );
    await Promise.all(all);
    expect(done).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });
});

/** A thread of the test's own: computes `{field: record}` and is lost where it is told to. */
class FakeThread {
  isRunning = false;
  readonly opened: number[] = [];
  readonly ran: number[][] = [];
  lose: (raw: string, field: number) => boolean = () => false;
  loseOpening: (set: number) => boolean = () => false;
  hold: Promise<void> = Promise.resolve();

  async run(job: FieldsJob): Promise<FieldsReply> {
    this.isRunning = true;
    await this.hold;
    if (job.kind === 'open') {
      this.opened.push(job.set);
      if (this.loseOpening(job.set)) {
        this.isRunning = false;
        throw new ThreadLost('out of memory', 1);
      }
    }
    if (job.kind !== 'run') return { problem: null, results: [], lines: [] };
    let steps = 0;
    this.ran.push(job.items.map(({ fields }) => fields.length));
    const results = job.items.map(({ raw, fields }) =>
      fields.map((field) => {
        steps += 1;
        if (this.lose(raw, field)) {
          this.isRunning = false;
          throw new ThreadLost('stopped', steps);
        }
        return { field, value: raw, mode: 'set' as const };
      }),
    );
    return { problem: null, results, lines: [] };
  }

  async close(): Promise<void> {
    this.isRunning = false;
  }
}

describe('a thread that is lost', () => {
  async function started(): Promise<{ thread: FakeThread; service: FieldService; client: Client }> {
    const thread = new FakeThread();
    const service = new FieldService(thread as unknown as LuaThread<FieldsJob, FieldsReply>);
    const fields = [
      ['a', ''],
      ['b', ''],
      ['c', ''],
    ] as const;
    const client: Client = { open: { kind: 'open', set: 1, fields }, write: () => undefined, isOpen: false };
    await service.add(client);
    return { thread, service, client };
  }
  const item = (raw: string) => ({ set: 1, raw, fields: [0, 1, 2], authorization: null });

  it('costs the field that it was at, and nothing else', async () => {
    const { thread, service, client } = await started();
    thread.lose = (raw, field) => raw === '{"n":2}' && field === 1;
    const answers = ['{"n":1}', '{"n":2}', '{"n":3}'].map(async (raw) => service.compute(client, item(raw)));
    const [first, second, third] = await Promise.all(answers);
    expect(first?.map((result) => 'error' in result)).toEqual([false, false, false]);
    expect(second?.map((result) => ('error' in result ? result.error : 'ok'))).toEqual([
      'ok',
      'stopped',
      'ok',
    ]);
    expect(third?.map((result) => 'error' in result)).toEqual([false, false, false]);
    expect(thread.opened).toEqual([1, 1]);
  });

  it('again and again costs every field, and no record', async () => {
    const { thread, service, client } = await started();
    thread.lose = () => true;
    const results = await service.compute(client, item('{}'));
    expect(results?.map((result) => ('error' in result ? result.isLimit : false))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('with too many bytes waiting, records go without their fields', async () => {
    const { thread, service, client } = await started();
    let release = (): void => undefined;
    thread.hold = new Promise((resolve) => (release = resolve));
    const big = 'x'.repeat(9 * 1024 * 1024);
    const first = service.compute(client, item(big));
    expect(service.compute(client, item(big))).toBeNull();
    release();
    expect(await first).toHaveLength(3);
    expect(await service.compute(client, item(big))).toHaveLength(3);
  });

  const clientOf = (set: number, source: string, lines: string[] = []): Client => ({
    open: { kind: 'open', set, fields: [['a', source]] },
    write: (_level, text) => lines.push(text),
    isOpen: false,
  });

  it('over the Lua of a configuration says nothing about that Lua: the next one is asked', async () => {
    const { thread, service } = await started();
    let losses = 2;
    thread.loseOpening = () => losses-- > 0;
    const client = clientOf(2, 'return 1');
    expect(await service.add(client)).toBeNull();
    expect(client.isOpen).toBe(true);
    expect(thread.opened).toEqual([1, 2, 2, 2]);
  });

  it('again and again leaves the verdict to the syntax, and records ask again', async () => {
    const { thread, service } = await started();
    thread.loseOpening = (set) => set > 1;
    expect(await service.add(clientOf(2, 'return 1 // 2'))).toMatchObject({ field: 0 });
    const lines: string[] = [];
    const client = clientOf(3, 'return 1', lines);
    expect(await service.add(client)).toBeNull();
    expect(lines).toEqual([expect.stringMatching(/could not be loaded: out of memory/)]);
    const one = { set: 3, raw: '{}', fields: [0], authorization: null };
    expect(await service.compute(client, one)).toEqual([{ field: 0, error: 'out of memory', isLimit: true }]);
    thread.loseOpening = () => false;
    expect(await service.compute(client, one)).toEqual([{ field: 0, value: '{}', mode: 'set' }]);
  });

  it('over the Lua of one configuration costs the records of no other', async () => {
    const { thread, service, client } = await started();
    const bad = clientOf(2, 'return 1');
    await service.add(bad);
    await thread.close();
    thread.loseOpening = (set) => set === 2;
    const answers = await Promise.all([
      service.compute(client, item('{"n":1}')),
      service.compute(bad, { set: 2, raw: '{}', fields: [0], authorization: null }),
      service.compute(client, item('{"n":2}')),
    ]);
    expect(answers.map((results) => results?.map((one) => 'error' in one))).toEqual([
      [false, false, false],
      [true],
      [false, false, false],
    ]);
  });

  it('has nothing for a configuration that was closed: its fields fail, and say so', async () => {
    const { service, client } = await started();
    const results = service.compute(client, item('{}'));
    await service.remove(client);
    const late = service.compute(client, item('{}'));
    expect((await results)?.every((one) => 'value' in one)).toBe(true);
    expect((await late)?.map((one) => 'error' in one && one.error)).toEqual(
      Array.from({ length: 3 }, () => 'the configuration was closed'),
    );
  });
});
