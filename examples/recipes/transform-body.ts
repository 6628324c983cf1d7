import { definePlugin, z } from 'kong-ts';

type Json = Record<string, unknown>;

const isJson = (type: string | null): boolean => /^application\/(?:[\w.+-]+\+)?json\b/i.test(type ?? '');
const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** Numbers that JavaScript cannot hold (large ids, decimals) stay as they were written. */
function parse(text: string): unknown {
  const keep = (_key: string, value: unknown, { source = '' }: { source?: string }): unknown =>
    typeof value === 'number' && String(value) !== source ? rawJSON(source) : value;
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown);
}

/** Takes fields away at any depth. */
function without(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((one) => without(one, names));
  if (!isRecord(value) || (JSON as unknown as { isRawJSON: (value: unknown) => boolean }).isRawJSON(value))
    return value;
  const kept = Object.entries(value).filter(([name]) => !names.has(name));
  return Object.fromEntries(kept.map(([name, one]) => [name, without(one, names)]));
}

/** Sets fields of JSON requests, and takes fields out of JSON responses. What it cannot read does not pass. */
export default definePlugin({
  name: 'transform-body',
  version: '1.0.0',
  priority: 790,
  config: z.object({
    set: z.record(z.string(), z.string()).default({}).describe('Fields of the request at top level'),
    hide: z.array(z.string()).default([]).describe('Fields of the response at any depth'),
    max_bytes: z.number().int().min(1).default(1_048_576),
  }),

  async access(kong, config) {
    // The response has to be read: nobody may compress it.
    await kong.service.request.setHeader('accept-encoding', 'identity');
    const [upgrade, length, type, encoding] = await Promise.all([
      kong.request.getHeader('upgrade'),
      kong.request.getHeader('content-length'),
      kong.request.getHeader('content-type'),
      kong.request.getHeader('content-encoding'),
    ]);
    // With "Upgrade: websocket", Kong buffers no response and runs no response handler: nothing would be hidden.
    if (upgrade !== null) return kong.response.exit(400, { message: 'Upgrades are not possible here' });
    if (Number(length ?? 0) > config.max_bytes)
      return kong.response.exit(413, { message: 'Payload too large' });
    const raw = await kong.request.getRawBody(config.max_bytes);
    if (raw.length === 0) return;
    if (raw.length > config.max_bytes) return kong.response.exit(413, { message: 'Payload too large' });
    if (type === null || !isJson(type) || encoding !== null)
      return kong.response.exit(415, { message: 'Send plain JSON' });
    let body: unknown;
    try {
      body = parse(raw.toString('utf8'));
    } catch {
      body = null;
    }
    if (!isRecord(body)) return kong.response.exit(400, { message: 'The body has to be a JSON object' });
    await kong.service.request.setHeader('content-type', type);
    await kong.service.request.setRawBody(JSON.stringify({ ...body, ...config.set }));
  },

  async response(kong, { hide, max_bytes: most }) {
    if (hide.length === 0) return;
    const [status, type, encoding, raw] = await Promise.all([
      kong.response.getStatus(),
      kong.response.getHeader('content-type'),
      kong.response.getHeader('content-encoding'),
      kong.service.response.getRawBody(),
    ]);
    if (!isJson(type) || raw.length === 0) return;
    let body: unknown;
    try {
      if (encoding !== null || raw.length > most) throw new Error('not readable');
      body = without(parse(raw.toString('utf8')), new Set(hide));
    } catch {
      // Better no answer than one with the fields in it.
      return kong.response.exit(502, { message: 'The upstream answered with something unreadable' });
    }
    // They describe the body as it was.
    for (const name of ['etag', 'content-md5', 'digest', 'repr-digest', 'accept-ranges'])
      await kong.response.clearHeader(name);
    return kong.response.exit(status, JSON.stringify(body), { 'content-type': 'application/json' });
  },
});
