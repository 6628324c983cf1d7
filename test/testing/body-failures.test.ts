import { describe, expect, it } from 'vitest';
import { definePlugin } from '../../src/index.ts';
import { testPlugin } from '../../src/testing/index.ts';

const caught: Error[] = [];
const reads = definePlugin({
  name: 'reads',
  version: '1.0.0',
  async access(kong) {
    try {
      await kong.request.getBody();
    } catch (error) {
      if (error instanceof Error) caught.push(error);
    }
  },
});

describe('a body that is not what it says', () => {
  it('is refused with the function and the reason, without the body', async () => {
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"secret": hunter2}',
    };
    await using t = await testPlugin(reads, { request });
    await t.access();
    expect(caught[0]?.message).toBe("kong.request.getBody(): the body is not JSON: Unexpected token 'h'.");
  });
});
