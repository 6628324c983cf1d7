import { readFileSync } from 'node:fs';

interface Transcript {
  calls: { method?: string; ok?: { v?: { v?: string } } }[];
}

const transcript = JSON.parse(
  readFileSync(
    new URL('../../test/fixtures/kong/transcripts/protobuf-log-phase.json', import.meta.url),
    'utf8',
  ),
) as Transcript;

/** The record that a real Kong 3.9.3 gave for kong.log.serialize: 2.5 kB. */
export const record = transcript.calls.find((call) => call.method === 'kong.log.serialize')?.ok?.v?.v ?? '{}';

/** What the driver answers, by method; undefined where Kong answers with an empty message. */
export const replies: ReadonlyMap<string, string> = new Map([
  ['kong.request.get_header', 'one'],
  ['kong.log.serialize', record],
]);

/** What stands in the record before the id of the request: the first eight digits of it are a record's number. */
export const numberMark = 'apikey=alicekey","id":"';
