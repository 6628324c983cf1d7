import { rowByName } from '../../src/pdk/catalogue.ts';
import type { Phase, Protocol } from '../../src/pdk/index.ts';
import { phases } from '../../src/pdk/index.ts';
import type { Gateway, Provenance } from '../gateways/gateway.ts';
import { provenanceOf } from '../gateways/gateway.ts';
import { probeFor } from '../gateways/plugins.ts';
import type { Probe } from '../gateways/probe.ts';
import type { Call, Happened } from '../gateways/probe-plugin.ts';
import { within } from '../gateways/quiet.ts';
import { Bench } from './bench.ts';

export type Outcome = 'ok' | 'rejected' | 'exits';
export type Outcomes = Record<Phase, Outcome>;

export interface MatrixEntry {
  readonly args: readonly unknown[];
  readonly protobuf: Outcomes | 'absent';
  readonly msgpack: Outcomes | 'absent';
  readonly reply: { readonly protobuf?: unknown; readonly msgpack?: unknown };
}

export interface Matrix extends Partial<Provenance> {
  readonly kong: string;
  readonly note: string;
  readonly functions: Readonly<Record<string, MatrixEntry>>;
}

/** What has to be there for a getter to have something to give. */
const before: Readonly<Record<string, readonly Call[]>> = {
  'kong.ctx.shared.get': [['kong.ctx.shared.set', 'k', { a: [1, 'x', true] }]],
  'kong.nginx.get_ctx': [['kong.nginx.set_ctx', 'ck', 'cv']],
};

/** How long Kong may take to step an event of MsgPack:1 that it may have abandoned, in milliseconds. */
const patienceMs = 250;
const protocols: readonly Protocol[] = ['protobuf', 'msgpack'];

/**
 * Calls every function of a matrix alone, in every phase, over both protocols.
 * @param plan names and arguments
 * @param only functions to take; all without it
 */
export async function recordMatrix(
  gateway: Gateway,
  plan: Readonly<Record<string, { readonly args: readonly unknown[] }>>,
  only?: readonly string[],
): Promise<Matrix> {
  const bench = await Bench.open(gateway);
  try {
    const provenance = await provenanceOf(gateway);
    const names = Object.keys(plan).filter((name) => only?.includes(name) ?? true);
    const functions = Object.fromEntries(
      names.map((name) => [name, { args: placed(plan[name]?.args ?? [], bench), reply: {} }]),
    ) as unknown as Functions;
    for (const pass of passes)
      for (const protocol of protocols) await recordPass(bench, protocol, pass, functions);
    return {
      ...provenance,
      note:
        'Each function called alone, in its own request. ok: Kong answered. rejected: Kong did not, and the event was ' +
        'aborted. exits: the call ended the request as asked. absent: this recorder knows no message of ProtoBuf:1 for it. ' +
        'The response phase was recorded with buffering, all other phases without.',
      functions,
    };
  } finally {
    await bench.close();
  }
}

/** The recorded upstream's port in arguments is this upstream's. */
function placed(args: readonly unknown[], bench: Bench): unknown[] {
  return args.map((arg) =>
    arg === 18_080
      ? bench.upstream.port
      : arg === '127.0.0.1' && args.includes(18_080)
        ? bench.places.here
        : arg,
  );
}

type Functions = Record<string, { -readonly [Key in keyof MatrixEntry]: MatrixEntry[Key] }>;

/**
 * Log comes last: what raises there leaves a request behind in Kong, whose headers later rewrite and response handlers
 * read (measured on Kong 3.9.3).
 */
const passes: readonly { readonly phases: readonly Phase[]; readonly buffered: boolean }[] = [
  { phases: ['certificate', 'rewrite', 'access', 'preread'], buffered: false },
  { phases: ['response'], buffered: true },
  { phases: ['log'], buffered: false },
];

async function recordPass(
  bench: Bench,
  protocol: Protocol,
  pass: (typeof passes)[number],
  functions: Functions,
): Promise<void> {
  const probe = await bench.use(probeFor(protocol, pass.buffered));
  for (const [name, entry] of Object.entries(functions)) {
    if (protocol === 'protobuf' && (rowByName(name)?.protobuf ?? null) === null) {
      entry.protobuf = 'absent';
      continue;
    }
    const outcomes = { ...((entry[protocol] as Outcomes | undefined) ?? {}) } as Outcomes;
    for (const phase of pass.phases) {
      const { outcome, reply } = await callIn(bench, probe, phase, [name, ...entry.args]);
      outcomes[phase] = outcome;
      if (reply !== undefined && (entry.reply[protocol] === undefined || phase === 'access'))
        entry.reply = { ...entry.reply, [protocol]: reply };
    }
    entry[protocol] = inOrder(outcomes);
  }
}

const inOrder = (outcomes: Outcomes): Outcomes =>
  Object.fromEntries(
    phases.filter((phase) => outcomes[phase] !== undefined).map((phase) => [phase, outcomes[phase]]),
  ) as Outcomes;

async function callIn(
  bench: Bench,
  probe: Probe,
  phase: Phase,
  call: Call,
): Promise<{ outcome: Outcome; reply?: unknown }> {
  const [name] = call;
  probe.run({ [phase]: [...(before[name] ?? []), call] });
  let status: number | null = null;
  if (phase === 'preread') await bench.connect();
  else ({ status } = await bench.request({ tls: phase === 'certificate' }));
  const step = (): Happened | undefined =>
    probe.happened.find((each) => each.phase === phase && each.method === name);
  // All phases but log are over when the client has its answer. This request's timer must not meet the next script.
  const refused = phase === 'certificate' && status === null;
  if (!refused)
    await within(patienceMs, () => probe.ended('log') > 0 || (phase === 'log' && step() !== undefined));
  const found = step();
  if (found?.ok !== undefined) return { outcome: 'ok', reply: found.ok.v ?? null };
  const asked = /\.(exit|error)$/.test(name) && status !== null && status === call[1];
  return { outcome: asked ? 'exits' : 'rejected' };
}
