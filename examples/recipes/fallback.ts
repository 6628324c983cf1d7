import { definePlugin, z } from 'kong-ts';

/** Headers that go to the second server, and those that come back from it. No credentials are among them. */
const asked = ['accept', 'accept-language', 'x-request-id'];
const answered = ['content-type', 'content-language', 'cache-control', 'etag', 'last-modified', 'vary'];

/** @throws when it is longer than `most` bytes */
async function bodyOf(response: Response, most: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > most) throw new Error('the second answer is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Where the upstream answers with an error, asks a second server. Only for GET, which may be asked again. */
export default definePlugin({
  name: 'fallback',
  version: '1.0.0',
  priority: 20,
  config: z.object({
    url: z.string().startsWith('http').describe('The second server; the path of the request is appended'),
    statuses: z.array(z.number().int()).default([502, 503, 504]),
    timeout: z.number().int().min(1).max(30_000).default(3000).describe('Milliseconds'),
    max_bytes: z.number().int().min(1).default(4_194_304),
  }),
  phases: ['response'],
  setup({ config, log, metrics }) {
    const used = metrics.counter('fallback_total', {
      help: 'Requests to the second server.',
      labels: ['result'],
    });
    return {
      async response(kong) {
        const [status, method, target] = await Promise.all([
          kong.response.getStatus(),
          kong.request.getMethod(),
          kong.request.getPathWithQuery(),
        ]);
        if (method !== 'GET' || !config.statuses.includes(status)) return;
        const values = await Promise.all(asked.map((name) => kong.request.getHeader(name)));
        // Put together by parts: a path such as //other.example/ must not become a host.
        const url = new URL(config.url);
        const [path = '/', query = ''] = target.split(/\?(.*)/s);
        // A URL would take a backslash for a slash, and leave the path of the second server by \..\
        url.pathname = `${url.pathname.replace(/\/$/, '')}${path.replaceAll('\\', '%5C')}`;
        url.search = query;
        let second: { status: number; headers: Record<string, string>; body: Buffer };
        try {
          const response = await fetch(url, {
            headers: asked.flatMap((name, at): [string, string][] => {
              const value = values[at] ?? null;
              return value === null ? [] : [[name, value]];
            }),
            redirect: 'error',
            signal: AbortSignal.timeout(config.timeout),
          });
          if (response.status >= 500) throw new Error(`it answered ${String(response.status)}`);
          const headers = answered.flatMap((name): [string, string][] => {
            const value = response.headers.get(name);
            return value === null ? [] : [[name, value]];
          });
          const body = await bodyOf(response, config.max_bytes);
          second = { status: response.status, headers: Object.fromEntries(headers), body };
        } catch (error) {
          // The client gets the first answer, which is an error, too.
          used.add(1, { result: 'failed' });
          log.warn('the second server did not help', { error: String(error) });
          return;
        }
        used.add(1, { result: 'answered' });
        // They belong to the first answer's body.
        for (const name of ['content-encoding', 'etag', 'last-modified', 'retry-after'])
          await kong.response.clearHeader(name);
        return kong.response.exit(second.status, second.body, { ...second.headers, 'x-fallback': 'true' });
      },
    };
  },
});
