import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differencesOf } from '../../scripts/differential/difference.ts';
import { documentedDifferences } from '../../scripts/differential/documented.ts';
import { firstSet } from '../../scripts/differential/first-set.ts';
import { observeAll } from '../../scripts/differential/observe.ts';
import type { Gateway } from '../../scripts/gateways/gateway.ts';
import { imageGateway } from '../../scripts/gateways/image-gateway.ts';
import { compareRecordings } from '../../scripts/record/compare.ts';
import { fixtures, transcriptPlans } from '../../scripts/record/kinds.ts';
import type { Matrix } from '../../scripts/record/matrix.ts';
import { recordMatrix } from '../../scripts/record/matrix.ts';
import { recordMerging } from '../../scripts/record/merging.ts';
import { recordTranscripts } from '../../scripts/record/transcripts.ts';
import { image, sandbox } from './support/kong.ts';

const fixture = <Recording>(name: string): Recording =>
  JSON.parse(readFileSync(path.join(fixtures, name), 'utf8')) as Recording;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await imageGateway(image, { pull: 'never' });
});
afterAll(async () => gateway.close());

test('headers are read as Kong 3.9.3 reads them', async () => {
  expect(compareRecordings(fixture('merging-3.9.3.json'), await recordMerging(gateway))).toEqual([]);
});

test('transcripts are recorded that say what those of Kong 3.9.3 say', async () => {
  const plans = await transcriptPlans(path.join(fixtures, 'transcripts'), ['hello', 'exit', 'lua-error']);
  for (const transcript of await recordTranscripts(gateway, plans)) {
    const protocol = transcript.protocol === 'ProtoBuf:1' ? 'protobuf' : 'msgpack';
    const kong = fixture<{ calls: unknown }>(`transcripts/${protocol}-${transcript.scenario}.json`);
    expect(compareRecordings({ calls: kong.calls }, { calls: transcript.calls })).toEqual([]);
  }
});

test('the first set of exchanges is answered as it was written down', async () => {
  const different: unknown[] = [];
  const listed = sandbox ? documentedDifferences() : [];
  await observeAll(gateway, firstSet, (exchange, seen) => {
    if (listed.includes(exchange.id)) return;
    for (const difference of differencesOf(exchange.kong, seen))
      different.push({ id: exchange.id, ...difference });
  });
  expect(different).toEqual([]);
});

test('the matrix is recorded as that of Kong 3.9.3', async () => {
  const kong = fixture<Matrix>('pdk-matrix-3.9.3.json');
  const only = ['kong.client.get_consumer', 'kong.response.exit', 'kong.service.response.get_status'];
  const recorded = await recordMatrix(gateway, kong.functions, only);
  for (const name of only)
    expect([name, recorded.functions[name]?.protobuf, recorded.functions[name]?.msgpack]).toEqual([
      name,
      kong.functions[name]?.protobuf,
      kong.functions[name]?.msgpack,
    ]);
});
