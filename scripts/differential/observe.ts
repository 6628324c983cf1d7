import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { ConfigRefused, readyPath } from '../gateways/configure.ts';
import type { Gateway } from '../gateways/gateway.ts';
import { probeFor, probeNames } from '../gateways/plugins.ts';
import type { Happened, StartMode } from '../gateways/probe-plugin.ts';
import { quiet, within } from '../gateways/quiet.ts';
import type { RawAnswer } from '../gateways/raw-exchange.ts';
import { exchange, headerTable } from '../gateways/raw-exchange.ts';
import type { UpstreamRequest } from '../gateways/upstream.ts';
import { Upstream } from '../gateways/upstream.ts';
import type { Exchange, Places } from './exchange.ts';

/** What a gateway did with an exchange. */
export interface Observation {
  readonly status: number | null;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Names of headers as they came. */
  readonly order: readonly string[];
  readonly body: string;
  /** All bytes that came (latin1). */
  readonly raw: string;
  readonly record: Readonly<Record<string, unknown>> | null;
  readonly upstream: readonly UpstreamRequest[];
  readonly calls: readonly Happened[];
  readonly config: 'taken' | 'refused';
  readonly timing: 'quick' | 'slow' | 'none';
}

/** Sends every exchange to a gateway, one after the other, and hands on what was seen. Leaves an empty configuration. */
export async function observeAll(
  gateway: Gateway,
  exchanges: readonly Exchange[],
  seen: (exchange: Exchange, observation: Observation) => void,
): Promise<void> {
  const upstream = await new Upstream().listen(gateway.here.listen);
  try {
    for (const each of exchanges) seen(each, await observe(gateway, upstream, each));
  } finally {
    await upstream.close();
    // The servers start instances again, and requests that wait for one do so no longer when its configuration is gone.
    for (const name of probeNames) gateway.probes[name].run({});
    await gateway.configure({});
  }
}

export const defaultConfig = ({ here, upstream }: Places): object => ({
  services: [
    {
      name: 'local',
      url: `http://${here}:${String(upstream)}/`,
      routes: [{ name: 'all', paths: ['/'], strip_path: false }],
    },
  ],
});

const nothing: Observation = {
  ...{ status: null, reason: '', headers: {}, order: [], body: '', raw: '', record: null },
  ...{ upstream: [], calls: [], config: 'taken', timing: 'quick' },
};

async function observe(gateway: Gateway, upstream: Upstream, asked: Exchange): Promise<Observation> {
  const plugin = probeFor(asked.protocol ?? 'protobuf', asked.buffered ?? false);
  const probe = gateway.probes[plugin];
  const places = { here: gateway.here.name, upstream: upstream.port };
  const config = (asked.config ?? defaultConfig)(places);
  const start = asked.start ?? 'starts';
  // Where the server spoils the start, no instance is there before the exchange: what tells of the configuration gets a 500.
  probe.run({}, start === 'starts' ? start : 'closes');
  upstream.run(asked.upstream ?? 'echo');
  try {
    await gateway.configure({
      ...config,
      ...(asked.probe === false ? {} : { plugins: pluginsOf(config, plugin, asked.id, start) }),
    });
  } catch (error) {
    if (error instanceof ConfigRefused) return { ...nothing, config: 'refused', status: error.status };
    throw error;
  }
  if (asked.probe !== false && start === 'starts')
    await within(1000, () => probe.ended('log') > 0 && probe.ended('log') === probe.ended('rewrite'));
  await quiet(probe, 15);
  const log = [...((asked.script?.['log'] as readonly []) ?? []), ['kong.log.serialize']] as const;
  probe.run({ ...asked.script, log: log }, start);
  if (asked.admin !== undefined) return callAdmin(gateway, asked.admin);
  const answer = await send(gateway, asked);
  const logged = asked.probe !== false && start === 'starts';
  // Where Kong wrote a record, it comes: on a busy machine late.
  if (logged && asked.kong.record !== undefined)
    await within(20_000, () => recordOf(probe.happened) !== null);
  else if (logged) await within(300, () => probe.ended('log') > 0);
  return {
    status: answer.status,
    reason: answer.reason,
    headers: headerTable(answer.headers),
    order: answer.headers.map(([name]) => name.toLowerCase()),
    body: answer.body,
    raw: answer.raw,
    record: recordOf(probe.happened),
    upstream: [...upstream.requests],
    calls: [...probe.happened],
    config: 'taken',
    timing: answer.raw === '' && !answer.closed ? 'none' : answer.ms > 1000 ? 'slow' : 'quick',
  };
}

/**
 * The note makes it another configuration in each exchange: the instance is started anew. Kong may keep its claim on a start
 * that failed, and whatever asks for the same entity waits: such a start is of an entity that nothing else asks for.
 */
const pluginsOf = (config: object, plugin: string, note: string, start: StartMode): object[] => [
  { name: plugin, config: { note }, ...(start === 'starts' ? {} : { id: randomUUID() }) },
  ...((config as { plugins?: object[] }).plugins ?? []),
];

async function send(gateway: Gateway, asked: Exchange): Promise<RawAnswer> {
  const { body = '', options = {} } = asked;
  const given = asked.request ?? ['GET / HTTP/1.1'];
  const head = (lines: readonly string[]): string => {
    const host = lines.some((line) => /^host:/i.test(line)) ? [] : ['Host: a'];
    const length = body === '' || lines.some((line) => /^(content-length|transfer-encoding):/i.test(line));
    const size = length ? [] : [`Content-Length: ${String(body.length)}`];
    return [...lines, ...host, ...size, 'Connection: close', '', ''].join('\r\n');
  };
  const request = 'raw' in given ? given.raw : head(given) + body;
  const settings = { patienceMs: 20_000, ...options };
  if (asked.twice === true) await exchange(gateway.proxy, request, settings);
  return exchange(gateway.proxy, request, settings);
}

/** The first record that is not of a request that asked for the configuration: on a busy machine its log comes late. */
export function recordOf(calls: readonly Happened[]): Record<string, unknown> | null {
  for (const { method, ok } of calls) {
    if (method !== 'kong.log.serialize' || ok === undefined) continue;
    const found = ok.v;
    const json = typeof found === 'string' ? found : (Object(found) as { v?: unknown }).v;
    if (typeof json !== 'string') continue;
    const record = JSON.parse(json) as Record<string, unknown>;
    const uri = (record['request'] as { uri?: unknown } | undefined)?.uri;
    if (typeof uri !== 'string' || !uri.startsWith(readyPath)) return record;
  }
  return null;
}

/** Not with fetch(), which sends no TRACE. */
function callAdmin(gateway: Gateway, admin: NonNullable<Exchange['admin']>): Promise<Observation> {
  const { method, path, body, type = 'application/json' } = admin;
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${gateway.adminUrl}${path}`,
      { method, agent: false, headers: body === undefined ? {} : { 'content-type': type } },
      (answer) => {
        text(answer).then((said) => {
          const { statusCode = 0, headers } = answer;
          const table = headers as Record<string, string | string[]>;
          resolve({ ...nothing, status: statusCode, headers: table, body: said });
        }, reject);
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}
