import { definePlugin, z } from 'kong-ts';

/** Answers in place of an upstream that is not there yet. */
export default definePlugin({
  name: 'mock',
  version: '1.0.0',
  priority: 1,
  config: z.object({
    answers: z
      .array(
        z.object({
          method: z.string().default('GET'),
          path: z.string().startsWith('/').describe('The whole path; a * at the end stands for any rest'),
          status: z.number().int().min(200).max(599).default(200),
          type: z.string().default('application/json'),
          body: z.string().default('{}'),
        }),
      )
      .min(1),
    others: z
      .enum(['pass', 'refuse'])
      .default('refuse')
      .describe('What becomes of requests that match nothing'),
  }),

  async access(kong, { answers, others }) {
    const [method, path] = await Promise.all([kong.request.getMethod(), kong.request.getPath()]);
    const found = answers.find(
      (one) =>
        (one.method === method || (one.method === 'GET' && method === 'HEAD')) &&
        (one.path.endsWith('*') ? path.startsWith(one.path.slice(0, -1)) : path === one.path),
    );
    if (found === undefined) {
      if (others === 'pass') return;
      return kong.response.exit(501, { message: `Nothing is mocked at ${method} ${path}` });
    }
    return kong.response.exit(found.status, method === 'HEAD' ? null : found.body, {
      'content-type': found.type,
      'x-mock': 'true',
    });
  },
});
