import { expect } from 'vitest';

// vitest's matchers are typed `any`; these say `unknown`, which may stand wherever a value is compared.
export const containing = (text: string): unknown => expect.stringContaining(text);
export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
export const anyNumber: unknown = expect.any(Number);
export const anyString: unknown = expect.any(String);
export const having = (members: Record<string, unknown>): unknown => expect.objectContaining(members);
