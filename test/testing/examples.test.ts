import { cpSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, run, userFolder, vitest } from './support.ts';

describe('examples/testing, copied by a user', () => {
  const { folder, remove } = userFolder();

  beforeAll(() => {
    for (const name of ['quota.ts', 'node-test', 'vitest']) {
      cpSync(path.join(root, 'examples', 'testing', name), path.join(folder, name), { recursive: true });
    }
  });
  afterAll(remove);

  it('passes under node:test', async () => {
    const { status, output } = await run(folder, ['--test', 'node-test/quota.test.ts']);
    expect({ status, output }).toMatchObject({
      status: 0,
      output: expect.stringMatching(/pass 5$/m) as string,
    });
  }, 60_000);

  it('passes under vitest', async () => {
    const { status, output } = await run(folder, [vitest, 'run', 'vitest/quota.test.ts']);
    expect({ status, output }).toMatchObject({ status: 0 });
  }, 60_000);
});
