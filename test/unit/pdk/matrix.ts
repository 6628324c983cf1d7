import { readFileSync } from 'node:fs';
import { catalogue } from '../../../src/pdk/index.ts';
import type { FunctionRow, Phase, Protocol } from '../../../src/pdk/index.ts';
import { kongVersions } from '../../../src/pdk/names/versions.ts';

/** What Kong 3.9.3 did with a function in a phase. */
export type Outcome = 'ok' | 'rejected' | 'absent' | 'exits';

interface MatrixRow {
  readonly args: readonly unknown[];
  readonly protobuf: 'absent' | Record<Phase, Outcome>;
  readonly msgpack: Record<Phase, Outcome>;
  readonly reply: { readonly protobuf?: unknown; readonly msgpack?: unknown };
}

const fixture = new URL('../../fixtures/kong/pdk-matrix-3.9.3.json', import.meta.url);

/** The measured matrix of Kong 3.9.3, by wire name. */
export const matrix = new Map(
  Object.entries(
    (JSON.parse(readFileSync(fixture, 'utf8')) as { functions: Record<string, MatrixRow> }).functions,
  ),
);

/** The rows that Kong 3.9 has: what came later is not a matter of this matrix. */
export const measured: readonly FunctionRow[] = catalogue.filter(
  ({ since }) => since === null || kongVersions.indexOf(since) <= kongVersions.indexOf('3.9'),
);

/** What Kong did with a function in a phase over a protocol. */
export function outcomeOf(name: string, protocol: Protocol, phase: Phase): Outcome {
  const outcomes = matrix.get(name)?.[protocol];
  if (outcomes === undefined) throw new Error(`The matrix has no ${name}.`);
  return outcomes === 'absent' ? 'absent' : outcomes[phase];
}

/** Kong's recorded answer as a channel gives it. */
export function recordedReply(name: string): unknown {
  // The matrix shows the beginning of the record only.
  if (name === 'kong.log.serialize') return '{}';
  const reply = matrix.get(name)?.reply.msgpack ?? null;
  return typeof reply === 'object' && reply !== null && 'bin' in reply
    ? Buffer.from(String(reply.bin))
    : reply;
}
