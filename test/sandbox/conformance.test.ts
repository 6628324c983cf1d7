import { afterEach, describe, expect, test } from 'vitest';
import type { Answer } from './support/client.ts';
import { send } from './support/client.ts';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { recordedConfig } from './support/recorded-config.ts';
import type { Transcript } from './support/transcripts.ts';
import { happenedValue, recordedValue, stable, transcripts, withoutZeros } from './support/transcripts.ts';

let gateway: TestGateway;

afterEach(async () => gateway.close());

const bodies: Record<string, { body: Buffer; type: string }> = {
  'binary-body': {
    body: Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
    type: 'application/octet-stream',
  },
  'body-on-disk': { body: Buffer.alloc(60_000, 'z'), type: 'application/x-www-form-urlencoded' },
};
const form = { body: Buffer.from('name=John&age=42'), type: 'application/x-www-form-urlencoded' };

/** The recorded request, sent to the sandbox. */
function request(scenario: string): Promise<Answer> {
  const { body, type } = bodies[scenario] ?? form;
  const base = scenario === 'certificate' ? gateway.sandbox.proxyTlsUrl : gateway.sandbox.proxyUrl;
  return send(`${base ?? ''}/cap/th%20ing/42?foo=bar&foo=baz&flag&empty=&apikey=alicekey`, {
    method: 'POST',
    headers: [
      ...['Host', 'api.example.test'],
      ...['Content-Type', type],
      ...['x-multi', 'one'],
      ...['x-multi', 'two'],
      ...['User-Agent', 'probe/1'],
      ...['Content-Length', String(body.length)],
      ...['Connection', 'keep-alive'],
    ],
    body,
  });
}

/** Lower-case names; a list where a header came several times. */
function headersOf(answer: Answer): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i < answer.rawHeaders.length; i += 2) {
    const name = (answer.rawHeaders[i] ?? '').toLowerCase();
    const value = answer.rawHeaders[i + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

function portMap(): Map<number, number> {
  const port = (url: string | null): number => Number(new URL(url ?? 'http://x:1').port);
  return new Map([
    [port(gateway.sandbox.proxyUrl), 8000],
    [port(gateway.sandbox.proxyTlsUrl), 8443],
    [gateway.upstream.port, 18_080],
  ]);
}

/** Scenarios with an HTTP request like the others; the rest have tests of their own. */
const http = transcripts().filter(({ scenario }) => !['stream-preread', 'binary-header'].includes(scenario));

/** The script with the upstream's port in place of the recorded one. */
function withPort(script: Transcript['script'], port: number): Transcript['script'] {
  return JSON.parse(JSON.stringify(script).replaceAll('18080', String(port))) as Transcript['script'];
}

/** Calls whose value is the client's port or the machine: only their type is compared. */
const machine = new Set([
  'kong.client.get_port',
  'kong.client.get_forwarded_port',
  'kong.node.get_id',
  'kong.node.get_hostname',
  'kong.nginx.req_start_time',
  'kong.request.get_start_time',
  'kong.nginx.get_statistics',
  'kong.plugin.get_id',
]);

/** Results whose size depends on port digits, measurements or paths. */
const varyingSize = new Set([
  'kong.log.serialize',
  'kong.node.get_memory_stats',
  'kong.request.get_raw_body',
  'kong.request.get_port',
  'kong.request.get_forwarded_port',
  'kong.router.get_service',
  'kong.response.get_headers',
  'kong.service.response.get_raw_body',
]);
const records = new Set(['Route', 'Service', 'Consumer', 'AuthenticatedCredential']);

describe.each(http.map((each): [string, Transcript] => [`${each.protocol} ${each.scenario}`, each]))(
  '%s',
  (_name, transcript) => {
    test('answers as Kong 3.9.3 did', async () => {
      const protocol = transcript.protocol === 'ProtoBuf:1' ? 'protobuf' : 'msgpack';
      gateway = await testGateway({
        protocol,
        config: (port) => recordedConfig(port),
        sandbox: { proxyListen: '127.0.0.1:0, 127.0.0.1:0 ssl' },
      });
      gateway.server.script = withPort(transcript.script, gateway.upstream.port);
      const once = async (): Promise<Answer> => {
        const aborted = transcript.scenario === 'log-phase-error';
        const logged = aborted ? null : gateway.server.ended('log');
        const answer = await request(transcript.scenario);
        await (logged ?? expect.poll(() => gateway.logs.some((line) => line.includes('] log: '))).toBe(true));
        return answer;
      };
      let answer = await once();
      if (transcript.scenario === 'config-change') answer = await once();
      const ports = portMap();
      const { client } = transcript;
      if ('status' in client) {
        expect(answer.status).toBe(client.status);
        expect(stable(headersOf(answer), ports)).toEqual(stable(client.headers, ports));
        expect(stable(answer.text, ports)).toEqual(stable(client.body, ports));
      }
      const expected = transcript.calls.filter(
        (call) => call.unknown_instance === undefined && call.err === undefined,
      );
      const actual = gateway.server.calls.filter((call) => call.err === undefined);
      expect(actual.map((call) => [call.phase, call.method ?? 'done'])).toEqual(
        expected.map((call) => [call.phase, call.method ?? 'done']),
      );
      expected.forEach((call, index) => {
        if (call.method === undefined) return;
        const got = actual[index];
        const found = happenedValue(got as NonNullable<typeof got>);
        const value = records.has(call.ok?.type ?? '') ? withoutZeros(found) : found;
        if (call.ok?.bytes !== undefined && !machine.has(call.method) && !varyingSize.has(call.method))
          expect([call.method, got?.bytes]).toEqual([call.method, call.ok.bytes]);
        if (call.ok?.has === false)
          expect([call.method, got?.has, got?.via]).toEqual([call.method, false, call.ok.via]);
        else if (machine.has(call.method)) expect(typeof value).toBe(typeof recordedValue(call));
        else
          expect([call.method, stable(value, ports)]).toEqual([
            call.method,
            stable(recordedValue(call), ports),
          ]);
        if (call.ok?.via !== undefined) expect(got?.via).toBe(call.ok.via);
      });
    });
  },
);
