import type { AddressInfo } from 'node:net';
import net from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { fromPluginServer, placements, plugin, startKong } from './support/kong.ts';
import type { Script } from './support/probe.ts';
import type { Recorder } from './support/recorder.ts';
import { startRecorder } from './support/recorder.ts';

/** Phases without an HTTP request: TLS handshakes (certificate) and TCP streams (preread, log). */
const protocols = ['protobuf', 'msgpack'] as const;
type Protocol = (typeof protocols)[number];
const streamPort = { protobuf: 9000, msgpack: 9001 };
const closedPort = { protobuf: 9002, msgpack: 9003 };

const httpScript: Script = {
  certificate: [
    ['node.getId'],
    ['ip.isTrusted', '192.0.2.1'],
    ['ctx.shared.set', 'from-certificate', 'seen'],
    ['log.notice', 'a handshake'],
  ],
  rewrite: [['request.getScheme']],
};

const streamScript: Script = {
  preread: [['client.getIp'], ['request.getPort'], ['nginx.getSubsystem'], ['ctx.shared.set', 'k', 'v']],
  log: [['ctx.shared.get', 'k'], ['log.serialize']],
};

interface Report {
  phase: string;
  results: unknown[];
}

describe.each(placements)('without a request, plugin server %s', (pluginServer) => {
  let kong: StartedKongContainer;
  let reports: Recorder;
  let echo: net.Server;

  beforeAll(async () => {
    reports = await startRecorder();
    echo = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(0, '0.0.0.0', resolve));
    const echoPort = (echo.address() as AddressInfo).port;
    const probe = (protocol: Protocol, script: Script, protocolsOfPlugin?: string[]): object => ({
      name: `probe-${protocol}`,
      config: {
        script: JSON.stringify(script),
        report_url: `${fromPluginServer(pluginServer, reports.port)}/${protocol}`,
        label: `${protocol}-`,
      },
      ...(protocolsOfPlugin === undefined ? {} : { protocols: protocolsOfPlugin }),
    });
    const stream = (protocol: Protocol, name: string, port: number, script: Script): object => ({
      name: `${name}-${protocol}`,
      protocol: 'tcp',
      host: 'host.docker.internal',
      port: echoPort,
      routes: [{ name: `${name}-${protocol}`, protocols: ['tcp'], destinations: [{ port }] }],
      plugins: [probe(protocol, script, ['tcp'])],
    });
    kong = await startKong({
      pluginServer,
      plugins: protocols.map((protocol) => plugin(`probe-${protocol}`)),
      streamPorts: [...Object.values(streamPort), ...Object.values(closedPort)],
      declarativeConfig: {
        _format_version: '3.0',
        services: [
          {
            name: 'web',
            url: `http://host.docker.internal:${String(reports.port)}/upstream`,
            routes: [{ name: 'web', paths: ['/'] }],
          },
          ...protocols.flatMap((protocol) => [
            stream(protocol, 'echo', streamPort[protocol], streamScript),
            stream(protocol, 'closed', closedPort[protocol], { preread: [['response.exit', 403, 'no']] }),
          ]),
        ],
        // certificate and rewrite run for global plugins only (measured on Kong 3.9.3).
        plugins: protocols.map((protocol) => probe(protocol, httpScript)),
      },
    });
  });

  afterAll(async () => {
    await kong?.stop();
    await reports?.close();
    await new Promise((resolve) => echo?.close(resolve));
  });

  const reported = (protocol: Protocol, phase: string): Report | undefined =>
    reports.received
      .filter(({ url }) => url === `/${protocol}`)
      .map(({ body }) => JSON.parse(body.toString()) as Report)
      .find((report) => report.phase === phase);

  test('certificate of plugins of both protocols runs in one handshake', async () => {
    const runs = () =>
      protocols.map(
        (protocol) =>
          reports.received.filter(({ url, body }) => url === `/${protocol}` && body.includes('"certificate"'))
            .length,
      );
    const before = runs();
    expect(await overTls(kong.proxyTlsUrl, 'both.test')).toMatch(/^HTTP\/1\.1 200/);
    await expect.poll(runs, { timeout: 10_000 }).toEqual(before.map((n) => n + 1));
  });

  describe.each(protocols)('%s', (protocol) => {
    test('certificate runs in the handshake, and the request after it is served', async () => {
      const answer = await overTls(kong.proxyTlsUrl, 'kong.test');
      expect(answer).toMatch(/^HTTP\/1\.1 200/);
      expect(reported(protocol, 'certificate')?.results.slice(0, 2)).toEqual([
        expect.stringMatching(/^[0-9a-f-]{36}$/),
        false,
      ]);
      expect(rewriteResults(answer, protocol)[0]).toBe('https');
    });

    test('rewrite of a global plugin runs without TLS, too', async () => {
      const answer = await fetch(kong.proxyUrl);
      expect(answer.status).toBe(200);
      expect(answer.headers.has(`x-probe-${protocol}-rewrite`)).toBe(true);
    });

    test('preread and log of a TCP stream', async () => {
      expect(await exchange(kong.streamUrl(streamPort[protocol]), 'over the wire')).toBe('over the wire');
      await expect.poll(() => reported(protocol, 'log'), { timeout: 10_000 }).toBeDefined();
      const [ip, port, subsystem] = reported(protocol, 'preread')?.results ?? [];
      expect(ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect([port, subsystem]).toEqual([streamPort[protocol], 'stream']);
      const [shared, record] = reported(protocol, 'log')?.results ?? [];
      expect(shared).toBe('v');
      expect(record).toMatchObject({
        session: { server_port: streamPort[protocol], status: 200, received: 13, sent: 13 },
        client_ip: ip,
      });
    });

    test('exit in preread ends the stream before the service sees it', async () => {
      expect(await exchange(kong.streamUrl(closedPort[protocol]), 'hello').catch(() => '')).not.toContain(
        'hello',
      );
    });
  });
});

/** One request over TLS with the name as SNI; the raw answer. */
function overTls(url: string, servername: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = tls.connect({ host: hostname, port: Number(port), servername, rejectUnauthorized: false });
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
  });
}

function rewriteResults(answer: string, protocol: Protocol): unknown[] {
  const header = new RegExp(`^x-probe-${protocol}-rewrite: (.+)$`, 'im').exec(answer)?.[1] ?? '';
  return JSON.parse(Buffer.from(header, 'base64').toString() || '[]') as unknown[];
}

/** Sends text over TCP and gives what came back until as much has, or until the other side closes. */
function exchange(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = net.connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (received.length >= text.length) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}
