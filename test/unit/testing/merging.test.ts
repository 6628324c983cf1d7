import { expect, test } from 'vitest';
import { definePlugin } from '../../../src/plugin/define.ts';
import { testPlugin } from '../../../src/testing/index.ts';

const plugin = definePlugin({
  name: 'echo-headers',
  version: '1.0.0',
  async access({ request, response }) {
    const values = await Promise.all([request.getHeader('x-a'), request.getHeader('x-b')]);
    await response.setHeader('y-a', values[0] ?? 'none');
    await response.setHeader('y-b', values[1] ?? 'none');
  },
});

test("the testing kit shows a plugin's frames before and after merging", async () => {
  const request = { headers: { 'x-a': 'a' } };
  await using single = await testPlugin(plugin, { request });
  await using merged = await testPlugin(plugin, { request, merge: true });
  const before = await single.access();
  const after = await merged.access();
  expect(before.calls).toHaveLength(4);
  expect(after.calls.map((call) => call.function)).toEqual(['request.getHeaders', 'response.setHeaders']);
  expect(after.response?.headers).toEqual(before.response?.headers);
});
