import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { placements, plugin, startKong } from './support/kong.ts';
import type { ProbeRequest, Step } from './support/probe.ts';
import { probe } from './support/probe.ts';
import type { Recorder } from './support/recorder.ts';
import { startRecorder } from './support/recorder.ts';

/** The PDK's classes of functions, over both protocols, with the plugin server in both places. */
const protocols = ['protobuf', 'msgpack'] as const;

const routesOf = (upstream: string): object => ({
  _format_version: '3.0',
  consumers: [{ username: 'alice', custom_id: 'c-1', keyauth_credentials: [{ key: 'alicekey' }] }],
  services: protocols.map((protocol) => ({
    name: `service-${protocol}`,
    url: `${upstream}/base`,
    routes: [{ name: `route-${protocol}`, paths: [`~/${protocol}/(?<word>[^/]+)/(\\d+)`] }],
    plugins: [
      { name: `probe-${protocol}` },
      { name: 'key-auth', config: { key_names: ['apikey'], anonymous: null, hide_credentials: false } },
    ],
  })),
});

describe.each(placements)('PDK, plugin server %s', (pluginServer) => {
  let kong: StartedKongContainer;
  let upstream: Recorder;

  beforeAll(async () => {
    upstream = await startRecorder();
    kong = await startKong({
      pluginServer,
      plugins: protocols.map((protocol) => plugin(`probe-${protocol}`)),
      declarativeConfig: routesOf(`http://host.docker.internal:${String(upstream.port)}`),
    });
  });

  afterAll(async () => {
    await kong?.stop();
    await upstream?.close();
  });

  describe.each(protocols)('%s', (protocol) => {
    const path = `/${protocol}/th%20ing/42?foo=bar&foo=baz&flag&empty=&apikey=alicekey`;
    const ask = (request: Partial<ProbeRequest> & Pick<ProbeRequest, 'script'>) =>
      probe(kong, { path, ...request });
    const access = async (steps: Step[], request: Partial<ProbeRequest> = {}): Promise<unknown[]> =>
      (await ask({ ...request, script: { access: steps } })).results('access');
    const last = () => upstream.received.at(-1);

    test('request', async () => {
      const results = await access(
        [
          ['request.getMethod'],
          ['request.getScheme'],
          ['request.getHttpVersion'],
          ['request.getPath'],
          ['request.getPathWithQuery'],
          ['request.getRawQuery'],
          ['request.getQueryArg', 'foo'],
          ['request.getHeader', 'x-one'],
          ['request.getHeader', 'x-none'],
          ['request.getRawBody'],
        ],
        { method: 'POST', headers: { 'x-one': '1' }, body: Buffer.from([0, 255, 254, 65]) },
      );
      expect(results).toEqual([
        'POST',
        'http',
        1.1,
        `/${protocol}/th ing/42`,
        path,
        path.split('?')[1],
        'bar',
        '1',
        null,
        { base64: Buffer.from([0, 255, 254, 65]).toString('base64') },
      ]);
    });

    test('request: query, headers and captures as tables', async () => {
      const [query, headers, captures] = await access(
        [['request.getQuery'], ['request.getHeaders'], ['request.getUriCaptures']],
        { headers: { 'x-one': '1' } },
      );
      expect(query).toMatchObject({ foo: ['bar', 'baz'], empty: '', flag: true, apikey: 'alicekey' });
      expect(headers).toMatchObject({ 'x-one': '1' });
      expect(captures).toMatchObject({ named: { word: 'th ing' } });
    });

    test('client: address, consumer and credential', async () => {
      const [ip, port, protocolName, consumer, credential] = await access([
        ['client.getIp'],
        ['client.getPort'],
        ['client.getProtocol'],
        ['client.getConsumer'],
        ['client.getCredential'],
      ]);
      expect(ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(port).toBeGreaterThan(0);
      expect(protocolName).toBe('http');
      // The probe runs before key-auth (priority 1250 runs first), so alice is known here.
      expect(consumer).toMatchObject({ username: 'alice', custom_id: 'c-1' });
      expect(credential).toHaveProperty('id');
    });

    test('router, node, nginx, ip and ctx', async () => {
      const [route, service, nodeId, uri, subsystem, trusted, , shared] = await access([
        ['router.getRoute'],
        ['router.getService'],
        ['node.getId'],
        ['nginx.getVar', 'request_uri'],
        ['nginx.getSubsystem'],
        ['ip.isTrusted', '192.0.2.1'],
        ['ctx.shared.set', 'k', { a: [1, 'x', true] }],
        ['ctx.shared.get', 'k'],
      ]);
      expect(route).toMatchObject({ name: `route-${protocol}` });
      expect(service).toMatchObject({ name: `service-${protocol}`, path: '/base' });
      expect(nodeId).toMatch(/^[0-9a-f-]{36}$/);
      expect([uri, subsystem, trusted, shared]).toEqual([path, 'http', false, { a: [1, 'x', true] }]);
    });

    test('service.request changes what the upstream gets', async () => {
      await access(
        [
          ['service.request.setMethod', 'PUT'],
          ['service.request.setPath', '/np'],
          ['service.request.setRawQuery', 'z=1'],
          ['service.request.setHeader', 'x-set', 'a'],
          ['service.request.addHeader', 'x-add', 'b'],
          ['service.request.clearHeader', 'x-gone'],
          ['service.request.setRawBody', 'new body'],
        ],
        { method: 'POST', headers: { 'x-gone': '1' }, body: 'old' },
      );
      expect(last()).toMatchObject({ method: 'PUT', url: '/np?z=1' });
      expect(last()?.headers).toMatchObject({ 'x-set': 'a', 'x-add': 'b' });
      expect(last()?.headers).not.toHaveProperty('x-gone');
      expect(last()?.body.toString()).toBe('new body');
    });

    test('response: what the upstream answered, and other headers', async () => {
      const answer = await ask({
        script: {
          access: [['response.setHeader', 'x-early', '1']],
          response: [
            ['response.getStatus'],
            ['response.getSource'],
            ['service.response.getStatus'],
            ['service.response.getHeader', 'x-upstream'],
            ['response.setHeader', 'x-late', '2'],
            ['response.clearHeader', 'x-upstream'],
            ['response.setStatus', 201],
          ],
        },
      });
      expect(answer.results('response').slice(0, 4)).toEqual([200, 'service', 200, 'yes']);
      expect(answer.status).toBe(201);
      expect([answer.headers.get('x-early'), answer.headers.get('x-late')]).toEqual(['1', '2']);
      expect(answer.headers.has('x-upstream')).toBe(false);
    });

    test('exit answers the client and the upstream sees nothing', async () => {
      const before = upstream.received.length;
      const answer = await ask({
        script: { access: [['response.exit', 418, { message: 'short' }, { 'x-exit': 'y' }]] },
      });
      expect([answer.status, JSON.parse(answer.text), answer.headers.get('x-exit')]).toEqual([
        418,
        { message: 'short' },
        'y',
      ]);
      expect(upstream.received.length).toBe(before);
    });

    test('the log phase has the record, and log lines come out of Kong', async () => {
      const word = `seen-${pluginServer}-${protocol}`;
      await ask({ script: { log: [['log.serialize'], ['log.notice', word]] } });
      await expect.poll(() => kong.logs(), { timeout: 10_000 }).toContain(word);
    });

    test('a body that Kong has put on disk', async () => {
      // Over ProtoBuf:1 the file has to be readable for the server: the same user on the same file system.
      const body = 'x'.repeat(60_000);
      const steps: Step[] = [['request.getRawBody']];
      if (pluginServer === 'host' && protocol === 'protobuf') {
        const answer = await ask({ method: 'POST', body, script: { access: steps } });
        expect(answer.status).toBe(500);
        return;
      }
      const [result] = await access(steps, { method: 'POST', body });
      expect(result).toEqual({
        bytes: body.length,
        sha256: createHash('sha256').update(body).digest('hex'),
      });
    });

    test('200 requests at once, none lost', async () => {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          ask({ script: { access: [['request.getHeader', 'x-n']] }, headers: { 'x-n': String(n) } }),
        ),
      );
      expect(answers.map((answer) => answer.results('access'))).toEqual(
        answers.map((_answer, n) => [String(n)]),
      );
    });
  });
});
