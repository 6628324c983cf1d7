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

/** The headers of a request as a browser sends them, with those that the benchmark asks for: 1.1 kB. */
export const headers: Readonly<Record<string, string>> = {
  host: 'kong.test',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': 'en-US,en;q=0.5',
  'accept-encoding': 'gzip, deflate, br, zstd',
  connection: 'keep-alive',
  cookie: `session=${'0123456789abcdef'.repeat(8)}; theme=dark`,
  authorization: `Bearer ${'abcdefghijklmnop'.repeat(16)}`,
  ...Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`x-multi-${String(at)}`, 'one'])),
};

/** What stands in the record before the id of the request: the first eight digits of it are a record's number. */
export const numberMark = 'apikey=alicekey","id":"';
