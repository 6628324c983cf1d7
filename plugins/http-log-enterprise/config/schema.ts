import { z } from 'zod';
import { enterpriseFields } from './enterprise-fields.ts';
import { httpLogFields } from './http-log-fields.ts';

/** The configuration of http-log-enterprise: every field of Kong's http-log, and its own. */
export const configSchema = z.object({ ...httpLogFields, ...enterpriseFields });

export type Config = z.output<typeof configSchema>;
