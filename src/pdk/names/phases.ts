/** The phases that Kong 3.9 runs on an external plugin, in the order in which a request meets them. */
export const phases = ['certificate', 'rewrite', 'access', 'response', 'preread', 'log'] as const;

export type Phase = (typeof phases)[number];

export type { Protocol } from '../../wire/index.ts';
