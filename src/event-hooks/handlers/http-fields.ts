import { z } from 'zod';
import type { Address } from '../model/kind.ts';
import { leftOut, shown } from '../model/secrecy.ts';
import { headerSecrets, urlSecrets } from '../model/secrets.ts';

/** The common parts of all kinds of handler that send HTTP: their fields, and how these are kept secret. */

/** Some text. */
export const text = z.string().min(1, 'length must be at least 1');
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'invalid header name')
  .refine(
    (h) => !/^(content-length|transfer-encoding|connection|keep-alive|upgrade|expect|host)$/i.test(h),
    'this header is set by the connection itself',
  );
/** Text that a connection can carry. Characters beyond ASCII go out as UTF-8. */
const headerValue = z.string().regex(/^(?:\t|\P{Cc})*$/u, 'invalid header value');
const decodes = (part: string): boolean => {
  if (!part.includes('%')) return true;
  // An error takes long to make: most of what cannot be decoded is told without.
  if (/%(?![0-9a-f]{2})/i.test(part)) return false;
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
};
const url = z
  .string()
  .max(8192, 'length must be at most 8192')
  .superRefine((value, context) => {
    const parsed = URL.canParse(value) ? new URL(value) : null;
    if (parsed === null) context.addIssue({ code: 'custom', message: 'missing host in url' });
    else if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
      context.addIssue({ code: 'custom', message: 'expected a scheme of http or https' });
    } else if (parsed.hostname === '') context.addIssue({ code: 'custom', message: 'missing host in url' });
    else if (!decodes(parsed.username) || !decodes(parsed.password)) {
      context.addIssue({
        code: 'custom',
        message: 'user or password hold a % that is not a percent-encoding (write %25 for it)',
      });
    }
  });
const secret = text.max(4096, 'length must be at most 4096');

/** The fields of an HTTP target with Kong's defaults; ours are optional and stay away while unset. */
export const targetFields = {
  url,
  headers: z.record(headerName, headerValue).default({}),
  secret: secret.nullable().default(null),
  ssl_verify: z.boolean().default(true),
  previous_secrets: z.array(secret).max(8, 'at most 8 secrets').optional(),
  previous_secrets_until: z.int().min(0, 'value should be 0 or more').optional(),
  signature: z.enum(['sha256', 'sha1']).optional(),
};

/** How these fields are kept secret. */
export const targetSecrets = {
  url: urlSecrets,
  headers: headerSecrets,
  secret: leftOut,
  previous_secrets: leftOut,
  previous_secrets_until: shown,
  ssl_verify: shown,
  signature: shown,
};

/** The machine of a URL. */
export const targetAddresses = ({ url }: { url: string }): Address[] => [
  { path: 'config.url', host: new URL(url).hostname },
];

/** The fields of every HTTP kind's target. */
export type TargetConfig = z.output<z.ZodObject<typeof targetFields>>;
