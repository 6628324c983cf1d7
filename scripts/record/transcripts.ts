import type { Protocol } from '../../src/pdk/index.ts';
import type { Gateway, Provenance } from '../gateways/gateway.ts';
import { provenanceOf } from '../gateways/gateway.ts';
import type { ProbeName } from '../gateways/plugins.ts';
import { probeFor } from '../gateways/plugins.ts';
import type { Probe } from '../gateways/probe.ts';
import type { Call, Happened, Script, Wire } from '../gateways/probe-plugin.ts';
import { quiet, within } from '../gateways/quiet.ts';
import type { RawAnswer } from '../gateways/raw-exchange.ts';
import { exchange, headerTable } from '../gateways/raw-exchange.ts';
import { Bench } from './bench.ts';
import { form } from './config.ts';

export interface Transcript extends Partial<Provenance> {
  readonly kong: string;
  readonly protocol: 'ProtoBuf:1' | 'MsgPack:1';
  readonly scenario: string;
  readonly what: string;
  readonly buffering?: boolean;
  readonly script: Script;
  readonly client:
    | { readonly raw: string }
    | { readonly status: number | null; readonly headers: object; readonly body: string };
  readonly wire: readonly Wire[];
  readonly calls: readonly Happened[];
}

/** What is asked for: the heads of transcripts that are there. */
export type Plan = Pick<Transcript, 'protocol' | 'scenario' | 'what' | 'script'>;

const bodies: Readonly<Record<string, { type: string; body: string }>> = {
  'binary-body': {
    type: 'application/octet-stream',
    body: String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code)),
  },
  'body-on-disk': { type: form.type, body: 'z'.repeat(60_000) },
};

/** A scenario of which there are bytes only: the recorded session has two plugins on one socket. */
const unbuffered = (protocol: Plan['protocol']): Plan => ({
  protocol,
  scenario: 'log-unbuffered',
  what: 'kong.service.response.get_status in log of a request that nothing buffered',
  script: { log: [['kong.service.response.get_status']] },
});
export const furtherPlans: readonly Plan[] = [unbuffered('ProtoBuf:1'), unbuffered('MsgPack:1')];

/** Plays every scenario against a gateway and keeps the bytes of the socket. */
export async function recordTranscripts(gateway: Gateway, plans: readonly Plan[]): Promise<Transcript[]> {
  const bench = await Bench.open(gateway);
  try {
    const provenance = await provenanceOf(gateway);
    const recorded: Transcript[] = [];
    const raising = ({ scenario }: Plan): boolean => /^log-(phase-error|unbuffered)$/.test(scenario);
    // What raises in log leaves a request behind in Kong, which later handlers read: it comes last.
    const inOrder = [...plans.filter((plan) => !raising(plan)), ...plans.filter(raising)];
    for (const plan of inOrder) recorded.push({ ...provenance, ...(await recordOne(bench, plan)) });
    return recorded;
  } finally {
    await bench.close();
  }
}

async function recordOne(bench: Bench, plan: Plan): Promise<Omit<Transcript, 'kong'>> {
  const { protocol, scenario, what } = plan;
  const buffering = !scenario.endsWith('unbuffered');
  const wireProtocol: Protocol = protocol === 'ProtoBuf:1' ? 'protobuf' : 'msgpack';
  const plugin = probeFor(wireProtocol, buffering);
  const probe = await bench.use(plugin);
  const script = placed(plan.script, bench);
  probe.run(script);
  const client = await play(bench, probe, scenario);
  // An event that Kong has abandoned has no end to wait for.
  await within(1000, () => probe.ended('log') > 0);
  await quiet(probe);
  return {
    protocol,
    scenario,
    what,
    buffering,
    script,
    client,
    wire: [...probe.wire],
    calls: [...probe.happened],
  };
}

function placed(script: Script, bench: Bench): Script {
  const port = (value: unknown): unknown => (value === 18_080 ? bench.upstream.port : value);
  return Object.fromEntries(
    Object.entries(script).map(([phase, calls]) => [
      phase,
      typeof calls === 'string' ? calls : calls?.map(([name, ...args]): Call => [name, ...args.map(port)]),
    ]),
  );
}

async function play(bench: Bench, probe: Probe, scenario: string): Promise<Transcript['client']> {
  switch (scenario) {
    case 'stream-preread':
      return { raw: await bench.connect() };
    case 'binary-header': {
      const lines = [
        'GET /cap/a/1?apikey=alicekey HTTP/1.1',
        'Host: api.example.test',
        'x-bin: \xff\xfeA\xc3\xa9',
      ];
      const answer = await exchange(
        bench.gateway.proxy,
        [...lines, 'Connection: close', '', ''].join('\r\n'),
      );
      return { raw: answer.raw };
    }
    case 'config-change': {
      await bench.request();
      await within(1000, () => probe.ended('log') > 0);
      // The request that tells when Kong has the change starts the instance: its phases stand in the recording, too.
      const { script } = probe;
      probe.script = {};
      await bench.use(probe.name as ProbeName, 'changed');
      probe.script = script;
      return shownAnswer(await bench.request());
    }
    default: {
      const body = bodies[scenario];
      const tls = scenario === 'certificate';
      return shownAnswer(await bench.request(body === undefined ? { tls } : { tls, body }));
    }
  }
}

function shownAnswer({ status, headers, body }: RawAnswer): Transcript['client'] {
  return { status, headers: headerTable(headers), body: Buffer.from(body, 'latin1').toString() };
}
