import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Gateway } from '../gateways/gateway.ts';
import type { AdminRecording } from './admin-api.ts';
import { recordAdminApi } from './admin-api.ts';
import { recordConnections } from './connections.ts';
import { recordDeliveries } from './http-log.ts';
import type { Matrix } from './matrix.ts';
import { recordMatrix } from './matrix.ts';
import { recordMerging } from './merging.ts';
import type { Plan } from './transcripts.ts';
import { furtherPlans, recordTranscripts } from './transcripts.ts';

export const kinds = ['matrix', 'transcripts', 'connections', 'admin-api', 'http-log', 'merging'] as const;
export type RecordingKind = (typeof kinds)[number];

/** The recordings that say what to ask. */
export const fixtures = path.join(import.meta.dirname, '../../test/fixtures/kong');
const fixtureOf: Readonly<Record<RecordingKind, string>> = {
  matrix: 'pdk-matrix-3.9.3.json',
  transcripts: 'transcripts',
  connections: 'connections',
  'admin-api': 'admin-api-3.9.3.json',
  'http-log': 'http-log-deliveries-3.9.3.json',
  merging: 'merging-3.9.3.json',
};

export interface RecordOptions {
  readonly out: string;
  /** Whether `out` is a folder for recordings of every kind. */
  readonly inFolder: boolean;
  readonly like: string | null;
  readonly only: readonly string[] | null;
  readonly plugin: string;
}

/** Records one kind, and returns where it has been written to. */
export async function recordKind(
  kind: RecordingKind,
  gateway: Gateway,
  options: RecordOptions,
): Promise<string> {
  const { only, plugin } = options;
  const like = options.like ?? path.join(fixtures, fixtureOf[kind]);
  const out = options.inFolder ? path.join(options.out, fixtureOf[kind]) : options.out;
  switch (kind) {
    case 'transcripts': {
      const plans = await transcriptPlans(like, only);
      const recorded = await recordTranscripts(gateway, plans);
      for (const each of recorded) {
        const protocol = each.protocol === 'ProtoBuf:1' ? 'protobuf' : 'msgpack';
        await write(path.join(out, `${protocol}-${each.scenario}.json`), each);
      }
      return out;
    }
    case 'connections':
      for (const each of await recordConnections(gateway))
        await write(path.join(out, `${each.scenario}.json`), each);
      return out;
    case 'matrix': {
      const { functions } = await read<Matrix>(like);
      return write(out, await recordMatrix(gateway, functions, only ?? undefined));
    }
    case 'admin-api':
      return write(out, await recordAdminApi(gateway, await read<AdminRecording>(like)));
    case 'http-log':
      return write(out, await recordDeliveries(gateway, plugin));
    case 'merging':
      return write(out, await recordMerging(gateway, only ?? undefined));
  }
}

/** Scenarios that the transcripts of a folder have a script for. */
export async function transcriptPlans(folder: string, only: readonly string[] | null): Promise<Plan[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const plans = await Promise.all(files.map((name) => read<Plan>(path.join(folder, name))));
  return [...plans, ...furtherPlans].filter(({ scenario }) => only?.includes(scenario) ?? true);
}

async function read<Recording>(file: string): Promise<Recording> {
  return JSON.parse(await readFile(file, 'utf8')) as Recording;
}

async function write(file: string, recording: object): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(recording, null, 1)}\n`);
  return file;
}
