import { createHash } from 'node:crypto';
import { definePlugin, z } from 'kong-ts';

interface Entry {
  readonly body: Buffer;
  readonly headers: Record<string, string>;
  readonly storedAt: number;
  readonly until: number;
}

/** Headers of the upstream that a stored answer keeps. All others are dropped. */
const kept = ['content-type', 'content-language', 'etag', 'last-modified', 'cache-control'];

/** Entries up to a number of bytes. Those that were asked for least recently go first. */
class Store {
  readonly #entries = new Map<string, Entry>();
  readonly #most: number;
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Entry | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#drop(key, entry);
    if (entry.until <= Date.now()) return null;
    this.#keep(key, entry);
    return entry;
  }

  set(key: string, entry: Entry): void {
    const before = this.#entries.get(key);
    if (before !== undefined) this.#drop(key, before);
    this.#keep(key, entry);
    for (const [oldest, one] of this.#entries) {
      if (this.#bytes <= this.#most) return;
      this.#drop(oldest, one);
    }
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.body.length + 1024;
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.body.length + 1024;
  }
}

/** How long an upstream lets everybody share its answer, in seconds; 0: not at all. */
function lifetime(control: string | null, fallback: number): number {
  const words = (control ?? '').toLowerCase().split(/\s*,\s*/);
  if (words.some((word) => /^(?:no-store|no-cache|private)\b/.test(word))) return 0;
  const said = words
    .map((word) => /^(s-maxage|max-age)="?(\d+)"?$/.exec(word))
    .filter((found) => found !== null);
  const [, , seconds] = said.find(([, name]) => name === 's-maxage') ?? said[0] ?? [];
  return seconds === undefined ? fallback : Number(seconds);
}

/** Answers GET from memory. Personal requests and answers are never stored, and never answered from the store. */
export default definePlugin({
  name: 'response-cache',
  version: '1.0.0',
  priority: 100,
  config: z.object({
    ttl: z.number().min(0).default(0).describe('Seconds, where the upstream says nothing'),
    personal: z
      .array(z.string())
      .default(['authorization', 'cookie', 'x-api-key', 'apikey'])
      .describe('Request headers that make a request personal'),
    vary: z
      .array(z.string())
      .default(['accept', 'accept-language'])
      .describe('Request headers that tell answers apart'),
    max_entry_bytes: z.number().int().min(1).default(1_048_576),
    max_bytes: z.number().int().min(1).default(67_108_864).describe('Of all answers, in each worker'),
  }),
  phases: ['access', 'response'],
  setup({ config, metrics }) {
    const store = new Store(config.max_bytes);
    const asked = metrics.counter('response_cache_total', {
      help: 'GET requests by result.',
      labels: ['result'],
    });
    const vary = config.vary.map((name) => name.toLowerCase());

    /** The parts of the PDK that access and response share. */
    interface Asker {
      readonly request: {
        getMethod(): Promise<string>;
        getScheme(): Promise<string>;
        getHost(): Promise<string>;
        getPathWithQuery(): Promise<string>;
        getHeader(name: string): Promise<string | null>;
      };
      readonly client: { getConsumer(): Promise<{ id: string } | null> };
    }

    /** null: the request is personal, partial, or not a GET. */
    async function keyOf({ request, client }: Asker): Promise<string | null> {
      const personal = [...config.personal, 'range'];
      const [consumer, method, scheme, host, target, ...headers] = await Promise.all([
        client.getConsumer(),
        request.getMethod(),
        request.getScheme(),
        request.getHost(),
        request.getPathWithQuery(),
        ...[...personal, ...vary].map((name) => request.getHeader(name)),
      ]);
      if (method !== 'GET' || headers.slice(0, personal.length).some((value) => value !== null)) return null;
      // What Kong knows of the caller may change the answer.
      const parts = [consumer?.id ?? null, scheme, host, target, ...headers.slice(personal.length)];
      return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
    }

    return {
      async access(kong) {
        // One form of each answer is stored: the plain one.
        await kong.service.request.setHeader('accept-encoding', 'identity');
        // Of a header that was sent several times, the key holds the first value: the upstream gets that one, too.
        const headers = await kong.request.getHeaders(1000);
        for (const name of vary) {
          const [value, ...others] = [headers[name] ?? []].flat();
          if (value !== undefined && others.length > 0) await kong.service.request.setHeader(name, value);
        }
        const key = await keyOf(kong);
        const entry = key === null ? null : store.get(key);
        asked.add(1, { result: key === null ? 'bypass' : entry === null ? 'miss' : 'hit' });
        if (entry === null) return;
        const age = String(Math.floor((Date.now() - entry.storedAt) / 1000));
        return kong.response.exit(200, entry.body, { ...entry.headers, age, 'x-cache': 'hit' });
      },

      async response(kong) {
        const key = await keyOf(kong);
        const [status, headers, body] = await Promise.all([
          kong.response.getStatus(),
          kong.response.getHeaders(),
          kong.service.response.getRawBody(),
        ]);
        const first = (name: string): string | null => [headers[name] ?? null].flat()[0] ?? null;
        const all = (name: string): string => [headers[name] ?? ''].flat().join(',');
        const seconds = lifetime(all('cache-control'), config.ttl);
        const differs = all('vary')
          .toLowerCase()
          .split(/\s*,\s*/);
        const isPlain = first('set-cookie') === null && first('content-encoding') === null;
        const isKnown = differs.every((name) => ['', 'accept-encoding', ...vary].includes(name));
        if (key === null || status !== 200 || seconds <= 0 || !isPlain || !isKnown) return;
        if (body.length > config.max_entry_bytes) return;
        const own = kept.flatMap((name) => {
          const value = first(name);
          return value === null ? [] : [[name, value] as const];
        });
        const now = Date.now();
        store.set(key, {
          body,
          headers: Object.fromEntries(own),
          storedAt: now,
          until: now + seconds * 1000,
        });
      },
    };
  },
});
