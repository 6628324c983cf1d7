import { describe, expect, it } from 'vitest';
import { createKong } from '../../../src/pdk/index.ts';
import type { KongApi, PhaseChannel } from '../../../src/pdk/index.ts';
import { FakeChannel } from './fake-channel.ts';

/** A ProtoBuf:1 channel in access that answers by `name` or `name:first argument`. */
function access(answers: Record<string, unknown>): { kong: KongApi; channel: FakeChannel } {
  const channel = new FakeChannel(
    'protobuf',
    'access',
    (name, [first]) => answers[`${name}:${String(first)}`] ?? answers[name] ?? '',
  );
  return { kong: createKong(channel), channel };
}

const trusted = { 'kong.client.get_ip': '10.0.0.1', 'kong.ip.is_trusted:10.0.0.1': true };

describe('functions that ProtoBuf:1 lacks', () => {
  it('believe forwarding headers from a trusted peer only', async () => {
    const header = {
      'kong.request.get_header:x-forwarded-path': '/outer',
      'kong.request.get_path': '/inner',
    };
    expect(await access({ ...trusted, ...header }).kong.request.getForwardedPath()).toBe('/outer');
    expect(await access({ ...header, 'kong.ip.is_trusted': false }).kong.request.getForwardedPath()).toBe(
      '/inner',
    );
    const prefix = { 'kong.nginx.get_var:upstream_x_forwarded_prefix': '/cap/th ing/42' };
    expect(await access(prefix).kong.request.getForwardedPrefix()).toBe('/cap/th ing/42');
    expect(await access({}).kong.request.getForwardedPrefix()).toBeNull();
  });

  it("the start time: Kong's own, nginx's where Kong has none", async () => {
    expect(
      await access({ 'kong.nginx.get_ctx:KONG_PROCESSING_START': 1795282109393 }).kong.request.getStartTime(),
    ).toBe(1795282109393);
    expect(
      await access({
        'kong.nginx.get_ctx': null,
        'kong.nginx.req_start_time': 1795282098.301,
      }).kong.request.getStartTime(),
    ).toBe(1795282098301);
  });

  it('the plugin id', async () => {
    expect(await access({ 'kong.nginx.get_ctx:plugin_id': 'abc' }).kong.plugin.getId()).toBe('abc');
  });

  it('clearQueryArg reads the query and sets the rest', async () => {
    const { kong, channel } = access({ 'kong.request.get_raw_query': 'foo=bar&foo=baz&flag&empty=' });
    await kong.service.request.clearQueryArg('foo');
    expect(channel.sent.at(-1)).toMatchObject({
      name: 'kong.service.request.set_raw_query',
      args: ['flag=&empty='],
    });
    expect(channel.held).toHaveLength(1);
  });
});

describe('bodies', () => {
  const typed = (type: string, body: string) =>
    access({
      'kong.request.get_header:content-type': type,
      'kong.request.get_raw_body': { content: Buffer.from(body) },
    });

  it.each([
    ['application/json; charset=utf-8', '{"a":[]}', { a: [] }],
    ['APPLICATION/JSON', '[1]', [1]],
    ['application/x-www-form-urlencoded', 'a=1&a=2&flag', { a: ['1', '2'], flag: true }],
    [
      'multipart/form-data; boundary=B',
      '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B--\r\n',
      { a: '1' },
    ],
    ['text/plain', 'x', null],
    ['', 'x', null],
  ])('%s is parsed', async (type, body, expected) => {
    expect(await typed(type, body).kong.request.getBody()).toEqual(expected);
  });

  it.each([
    ['application/json', '{'],
    ['application/json', '5'],
    ['application/json', ''],
    ['multipart/form-data', '--B'],
  ])('%s with %j is malformed', async (type, body) => {
    await expect(typed(type, body).kong.request.getBody()).rejects.toMatchObject({
      code: 'PDK_BODY_MALFORMED',
    });
  });

  it.each([
    [{ a: [] }, 'application/json', '{"a":[]}', 'application/json'],
    [
      { b: 'x y', a: ['1', 2], c: true, d: false },
      'application/x-www-form-urlencoded',
      'a=1&a=2&b=x%20y&c',
      'application/x-www-form-urlencoded',
    ],
    [
      { a: 1 },
      'multipart/form-data; boundary=B',
      '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B--\r\n',
      'multipart/form-data; boundary=B',
    ],
  ])('%j is set as %s', async (value, type, body, contentType) => {
    const { kong, channel } = access({});
    expect(await kong.service.request.setBody(value, type)).toBe(true);
    expect(channel.sent).toMatchObject([
      { name: 'kong.service.request.set_raw_body', args: [Buffer.from(body)] },
      { name: 'kong.service.request.set_header', args: ['Content-Type', contentType] },
    ]);
  });

  it("setBody without a type takes the request's own, and is false without one", async () => {
    const { kong, channel } = access({ 'kong.request.get_header:content-type': 'application/json' });
    expect(await kong.service.request.setBody({ a: 1 })).toBe(true);
    expect(channel.names).toContain('kong.service.request.set_raw_body');
    expect(await access({}).kong.service.request.setBody({ a: 1 })).toBe(false);
  });

  it('a body on disk is read through the port, or refused with the way out', async () => {
    const { kong, channel } = access({ 'kong.request.get_raw_body': { body_filepath: '/var/kong/1' } });
    await expect(kong.request.getRawBody()).rejects.toMatchObject({ code: 'PDK_BODY_UNAVAILABLE' });
    await expect(kong.request.getRawBody()).rejects.toThrow(/client_body_buffer_size/);
    const port: PhaseChannel = Object.assign(channel, { readFile: async () => Buffer.from('from disk') });
    expect(String(await createKong(port).request.getRawBody())).toBe('from disk');
    await expect(createKong(port).request.getRawBody(4)).rejects.toMatchObject({
      code: 'PDK_BODY_UNAVAILABLE',
    });
    const broken: PhaseChannel = Object.assign(channel, {
      readFile: () => Promise.reject(new Error('EACCES')),
    });
    await expect(createKong(broken).request.getRawBody()).rejects.toMatchObject({
      code: 'PDK_BODY_UNAVAILABLE',
    });
  });

  it('a body that Kong cannot give says why', async () => {
    const { kong } = access({ 'kong.request.get_raw_body': { error: 'too big' } });
    await expect(kong.request.getRawBody()).rejects.toThrow(/too big/);
  });
});

describe("Kong's error bodies over ProtoBuf:1", () => {
  async function errorFor(accept: string, extra: Record<string, unknown> = {}, ...args: unknown[]) {
    const { kong, channel } = access({
      'kong.nginx.get_var:http_accept': accept,
      'kong.nginx.get_var:kong_request_id': 'abc123',
      ...extra,
    });
    const [status = 403, ...rest] = args;
    await expect(kong.response.error(status as number, ...(rest as [string]))).rejects.toMatchObject({
      name: 'ExitSignal',
    });
    const last = channel.sent.at(-1);
    expect(last).toMatchObject({ how: 'exit', name: 'kong.response.exit' });
    const [sentStatus, body, headers] = last?.args as [number, string | null, Record<string, string>];
    return { status: sentStatus, body, headers, type: headers['Content-Type'] };
  }

  it('are JSON by default', async () => {
    expect(await errorFor('')).toEqual({
      status: 403,
      body: '{\n  "message":"Forbidden",\n  "request_id":"abc123"\n}',
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
      type: 'application/json; charset=utf-8',
    });
  });

  it.each([
    ['text/html', 'text/html; charset=utf-8', '<p>Forbidden.</p>\n    <p>request_id: abc123</p>'],
    ['application/xml', 'application/xml; charset=utf-8', '<requestid>abc123</requestid>'],
    ['text/plain', 'text/plain; charset=utf-8', 'Forbidden\nrequest_id: abc123\n'],
    ['text/*;q=0.4, application/xml;q=0.9', 'application/xml; charset=utf-8', '<message>Forbidden</message>'],
    ['text/plain;q=0.5;level=1, application/json;q=0.4', 'text/plain; charset=utf-8', 'Forbidden'],
    ['text/html;q=0, */*;q=0.1', 'application/json; charset=utf-8', '"message":"Forbidden"'],
    ['image/png', 'application/json; charset=utf-8', '"message":"Forbidden"'],
    ['nonsense', 'application/json; charset=utf-8', '"message":"Forbidden"'],
  ])('Accept: %s', async (accept, type, part) => {
    const error = await errorFor(accept);
    expect(error.type).toBe(type);
    expect(error.body).toContain(part);
  });

  it('carry the message and headers of the plugin', async () => {
    const error = await errorFor('text/html', {}, 499, 'not yours', {
      'content-type': 'text/plain',
      'x-a': '1',
    });
    expect(error).toMatchObject({
      status: 499,
      body: 'not yours\nrequest_id: abc123\n',
      headers: { 'x-a': '1', 'Content-Type': 'text/plain' },
    });
    expect((await errorFor('', {}, 599)).body).toContain('The upstream server responded with 599');
    expect((await errorFor('text/plain', {}, 400, { a: 1 })).body).toBe('{"a":1}\nrequest_id: abc123\n');
  });

  it('are gRPC statuses for gRPC requests', async () => {
    const grpc = {
      'kong.nginx.get_var:content_type': 'application/grpc',
      'kong.request.get_http_version': 2,
    };
    expect(await errorFor('', grpc)).toMatchObject({ type: 'application/grpc', body: null });
    expect(await errorFor('', { ...grpc, 'kong.request.get_http_version': 1.1 })).toMatchObject({
      type: 'application/json; charset=utf-8',
    });
  });

  it('are left to Kong over MsgPack:1', async () => {
    const channel = new FakeChannel('msgpack', 'access');
    const kong = createKong(channel);
    await expect(kong.response.error(403, 'no', { 'content-type': 'text/plain' })).rejects.toMatchObject({
      name: 'ExitSignal',
    });
    expect(channel.sent).toMatchObject([
      { how: 'exit', name: 'kong.response.error', args: [403, 'no', { 'Content-Type': 'text/plain' }] },
    ]);
  });
});

describe('bodies over MsgPack:1', () => {
  const file = '/usr/local/kong/client_body_temp/0000000001';

  /** A Kong by the variables of a request; `raw` is what it has in memory, null where the body is on its disk. */
  function msgpack(variables: Record<string, string>, raw: string | null, sized: boolean) {
    let read = false;
    const channel = new FakeChannel('msgpack', 'access', (name, [first]) => {
      if (name === 'kong.request.get_body') read = true;
      if (name === 'kong.nginx.get_var') {
        if (first === 'request_body_file') return raw === null && read ? file : null;
        return variables[String(first)] ?? null;
      }
      if (name !== 'kong.request.get_raw_body') return null;
      if (raw === null && !sized) throw new Error('Kong raises: the client gets a 500');
      return Buffer.from(raw ?? 'from disk, by Kong');
    });
    const readFile = (path: string) => Promise.resolve(Buffer.from(`from ${path}`));
    const facts = { subsystem: null, readsBodyFiles: null };
    const port: PhaseChannel = Object.assign(channel, { readFile, facts });
    return { channel, body: async () => String(await createKong(port).request.getRawBody()) };
  }

  it.each([
    ['with a length', { http_content_length: '60000', server_protocol: 'HTTP/1.1' }],
    ['in chunks', { http_transfer_encoding: 'chunked', server_protocol: 'HTTP/1.1' }],
    ['of HTTP/2, which needs no header for it', { server_protocol: 'HTTP/2.0' }],
  ])('one on the disk of Kong 3.4 or 3.7, %s, is read from its file', async (_what, variables) => {
    for (const nginx_version of ['1.21.4', '1.25.3']) {
      const { body, channel } = msgpack({ ...variables, nginx_version }, null, false);
      expect(await body()).toBe(`from ${file}`);
      expect(channel.names).not.toContain('kong.request.get_raw_body');
    }
  });

  it('a small one of Kong 3.4, or one that is in memory after all, is asked for', async () => {
    const small = msgpack({ http_content_length: '5', server_protocol: 'HTTP/1.1' }, 'small', false);
    expect(await small.body()).toBe('small');
    expect(small.channel.names).not.toContain('kong.request.get_body');
    const none = msgpack({ server_protocol: 'HTTP/1.1' }, '', false);
    expect(await none.body()).toBe('');
    const large = msgpack({ http_content_length: '9000', server_protocol: 'HTTP/1.1' }, 'large', false);
    expect(await large.body()).toBe('large');
  });

  it('Kong 3.8 and later give one on disk themselves; which Kong it is, is asked once', async () => {
    const { body, channel } = msgpack({ upstream_via: '', nginx_version: '1.25.3' }, null, true);
    expect([await body(), await body()]).toEqual(['from disk, by Kong', 'from disk, by Kong']);
    expect(channel.names).toEqual([
      'kong.nginx.get_var',
      'kong.request.get_raw_body',
      'kong.request.get_raw_body',
    ]);
  });
});

describe('the route in the log phase', () => {
  const route = { id: 'r', protocols: ['tcp'], destinations: [{ port: 9000 }], service: { id: 's' } };

  function log(protocol: 'protobuf' | 'msgpack', subsystem: 'http' | 'stream') {
    const channel = new FakeChannel(protocol, 'log', (name) => {
      if (name === 'kong.nginx.get_subsystem') return subsystem;
      if (name === 'kong.log.serialize') return JSON.stringify({ route });
      if (protocol === 'protobuf' && subsystem === 'stream') throw new Error('Kong raises');
      return { id: 'r' };
    });
    const facts = { subsystem: null, readsBodyFiles: null };
    return { channel, kong: createKong(Object.assign(channel, { facts })) };
  }

  it('of a stream over ProtoBuf:1 comes out of the record: Kong cannot send its addresses', async () => {
    const { kong, channel } = log('protobuf', 'stream');
    expect(await kong.router.getRoute()).toMatchObject(route);
    await kong.router.getRoute();
    expect(channel.names).toEqual(['kong.nginx.get_subsystem', 'kong.log.serialize', 'kong.log.serialize']);
  });

  it('of requests, and over MsgPack:1, is asked for', async () => {
    const http = log('protobuf', 'http');
    expect(await http.kong.router.getRoute()).toMatchObject({ id: 'r' });
    expect(http.channel.names).toEqual(['kong.nginx.get_subsystem', 'kong.router.get_route']);
    const msgpack = log('msgpack', 'stream');
    await msgpack.kong.router.getRoute();
    expect(msgpack.channel.names).toEqual(['kong.router.get_route']);
  });
});
