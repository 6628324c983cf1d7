import { createHash } from 'node:crypto';
import { definePlugin, z } from 'kong-ts';

/** What the key service answers: whom a key belongs to. The name goes into a header, so it is plain ASCII. */
const answer = z.object({ owner: z.string().regex(/^[\x21-\x7e]{1,128}$/) });

/** Values that end after a time. When there are too many, the oldest go first. */
class Expiring<Value> {
  readonly #entries = new Map<string, { value: Value; until: number }>();
  readonly #most: number;
  readonly #seconds: number;

  constructor(most: number, seconds: number) {
    this.#most = most;
    this.#seconds = seconds;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.until > Date.now() ? entry.value : undefined;
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: Date.now() + this.#seconds * 1000 });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#most && oldest !== undefined) this.#entries.delete(oldest);
  }
}

/** Asks a service of yours about API keys, and remembers its answers. Nobody gets through without an answer. */
export default definePlugin({
  name: 'api-key',
  version: '1.0.0',
  priority: 1250,
  config: z.object({
    url: z.string().startsWith('http').describe('Where the key service listens'),
    header: z.string().default('x-api-key'),
    ttl: z.number().min(0).default(60).describe('Seconds that a known key is remembered'),
    unknown_ttl: z.number().min(0).default(5).describe('Seconds that an unknown key is remembered'),
    timeout: z.number().int().min(1).default(2000).describe('Milliseconds'),
  }),
  phases: ['access'],
  setup({ config, log }) {
    // Two lists: a flood of invented keys pushes no real one out.
    const owners = new Expiring<string>(10_000, config.ttl);
    const unknown = new Expiring<true>(10_000, config.unknown_ttl);
    const asking = new Map<string, Promise<string | null>>();

    /** @returns null for a key that nobody has. @throws when the service does not say */
    async function ask(key: string, id: string): Promise<string | null> {
      const response = await fetch(config.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key }),
        redirect: 'error',
        signal: AbortSignal.timeout(config.timeout),
      });
      if (response.status === 404) {
        await response.body?.cancel();
        unknown.set(id, true);
        return null;
      }
      if (!response.ok) throw new Error(`the key service answered ${String(response.status)}`);
      const { owner } = answer.parse(await response.json());
      owners.set(id, owner);
      return owner;
    }

    async function ownerOf(key: string): Promise<string | null> {
      // A digest, so that a dump of this process's memory shows no keys.
      const id = createHash('sha256').update(key).digest('base64');
      if (unknown.get(id) === true) return null;
      const known = owners.get(id);
      if (known !== undefined) return known;
      const running = asking.get(id) ?? ask(key, id).finally(() => asking.delete(id));
      asking.set(id, running);
      return running;
    }

    return {
      async access(kong) {
        const key = await kong.request.getHeader(config.header);
        if (key === null) return kong.response.exit(401, { message: 'No API key found in request' });
        let owner: string | null;
        try {
          owner = await ownerOf(key);
        } catch (error) {
          log.error('a key cannot be checked', { error: String(error) });
          return kong.response.exit(
            503,
            { message: 'API keys cannot be checked now' },
            { 'retry-after': '5' },
          );
        }
        if (owner === null) return kong.response.exit(401, { message: 'Unauthorized' });
        await kong.service.request.clearHeader(config.header);
        await kong.service.request.setHeader('x-key-owner', owner);
      },
    };
  },
});
