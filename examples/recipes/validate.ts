import { definePlugin, z } from 'kong-ts';

/** What this route takes. Put your own schema here: it is code, not configuration. */
const order = z.strictObject({
  item: z.string().regex(/^[a-z0-9-]{1,64}$/),
  count: z.int().min(1).max(100),
  gift_for: z.email().optional(),
});

/** Answers 400 to whatever is not an order. The upstream gets what was checked and nothing else. */
export default definePlugin({
  name: 'validate',
  version: '1.0.0',
  priority: 980,
  config: z.object({ max_bytes: z.number().int().min(1).default(16_384) }),

  async access(kong, { max_bytes: most }) {
    const [method, type, encoding, length] = await Promise.all([
      kong.request.getMethod(),
      kong.request.getHeader('content-type'),
      kong.request.getHeader('content-encoding'),
      kong.request.getHeader('content-length'),
    ]);
    if (method !== 'POST')
      return kong.response.exit(405, { message: 'Method not allowed' }, { allow: 'POST' });
    if (!/^application\/json\s*(?:;|$)/i.test(type ?? '') || encoding !== null)
      return kong.response.exit(415, { message: 'Send plain application/json' });
    if (Number(length ?? 0) > most) return kong.response.exit(413, { message: 'Payload too large' });
    const raw = await kong.request.getRawBody(most);
    if (raw.length > most) return kong.response.exit(413, { message: 'Payload too large' });
    let body: unknown;
    try {
      body = JSON.parse(raw.toString('utf8'));
    } catch {
      return kong.response.exit(400, { message: 'The body is not JSON' });
    }
    const checked = order.safeParse(body);
    if (!checked.success) {
      const errors = checked.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
      return kong.response.exit(400, { message: 'The order is not valid', errors });
    }
    // Written anew: of a field that was sent twice, the upstream may have read the other one.
    await kong.service.request.setHeader('content-type', 'application/json');
    await kong.service.request.setRawBody(JSON.stringify(checked.data));
  },
});
