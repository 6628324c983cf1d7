import { describe, expect, it } from 'vitest';
import * as main from '../../src/index.ts';

describe("the package's main entry point", () => {
  it('exports this and nothing else', () => {
    expect(Object.keys(main).sort()).toEqual(['KongTsError', 'definePlugin', 'eventHooks', 'z']);
  });

  it('lends its zod whole', async () => {
    const { z } = await import('zod');
    expect(main.z).toBe(z);
  });
});
