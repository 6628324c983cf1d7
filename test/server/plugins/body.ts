import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Answers with the request's body, or with why there is none. */
export default definePlugin({
  name: 'body',
  version: '1.0.0',
  priority: 10,
  config: z.object({}),
  async access(kong) {
    const body = await kong.request.getRawBody().catch((error: unknown) => String(error));
    await kong.response.setHeader('x-body', body.toString());
  },
});
