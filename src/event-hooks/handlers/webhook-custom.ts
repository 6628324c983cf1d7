import { z } from 'zod';
import { messageOf } from '../../base/errors.ts';
import { nearest } from '../../base/nearest.ts';
import { httpMethods } from '../../http/index.ts';
import { parseExactFields } from '../model/payload.ts';
import type { Violation } from '../model/errors.ts';
import { shown } from '../model/secrecy.ts';
import { templateSecrets } from '../model/secrets.ts';
import { targetAddresses, targetFields, targetSecrets } from './http-fields.ts';
import { defineKind } from './kind.ts';
import { checkSecrets } from './signature.ts';
import { Budget, parseTemplate, refuseCode, render } from './template.ts';
import type { Escape, Template } from './template.ts';
import { HttpHandler, lowerCase } from './webhook.ts';
import type { Composed } from './types.ts';

type Part = { name: string; value: string | Template };

function unknownMethod(method: string): string {
  const meant = nearest(method, ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
  return `${method} is not an HTTP method${meant === null ? '' : ` (did you mean ${meant}?)`}`;
}

const config = z.strictObject({
  ...targetFields,
  method: z
    .string()
    .regex(/^[A-Z]{1,32}$/, 'expected an HTTP method in upper case')
    .refine((m) => m !== 'CONNECT' && m !== 'TRACE', 'CONNECT and TRACE are not allowed')
    .refine((m) => httpMethods.includes(m), { error: ({ input }) => unknownMethod(String(input)) }),
  headers_format: z.boolean().default(false),
  payload: z.record(z.string(), z.string()).nullable().default(null),
  payload_format: z.boolean().default(true),
  body: z.string().nullable().default(null),
  body_format: z.boolean().default(true),
});
export type WebhookCustomConfig = z.output<typeof config>;

/**
 * The handler `webhook-custom`: any method, with headers, `payload` or `body` filled in from the event. `body` wins over
 * `payload`. Values are escaped for JSON where the content type is JSON, percent-encoded in forms, and escaped for HTML
 * elsewhere, as lua-resty-template does. URL, headers, fields and body share one budget.
 * Headers are not escaped; control characters in inserted values are removed there.
 */
export const webhookCustom = defineKind({
  name: 'webhook-custom',
  config,
  secrets: {
    ...targetSecrets,
    method: shown,
    headers_format: shown,
    payload: templateSecrets,
    payload_format: shown,
    body: templateSecrets,
    body_format: shown,
  },
  addresses: targetAddresses,
  check: (fields) => [...checkTemplates(fields), ...checkSecrets(fields)],
  pings: false,
  create: (hook, { http, clock }) =>
    new HttpHandler(hook, http(hook.config.ssl_verify), clock, composer(hook.config)),
  request: ({ config }, payload) => ({ url: config.url, ...composer(config)(payload) }),
});

/** Compiles a hook's templates into a function that makes the request for a payload. */
export function composer(config: WebhookCustomConfig): (payload: string) => Composed {
  const own = lowerCase(config.headers);
  const headers: Part[] = Object.entries(own).map(([name, value]) => ({
    name,
    value: config.headers_format ? parseTemplate(value) : value,
  }));
  const fields: Part[] = Object.entries(config.payload ?? {}).map(([name, value]) => ({
    name,
    value: config.payload_format ? parseTemplate(value) : value,
  }));
  const body = config.body === null ? null : config.body_format ? parseTemplate(config.body) : config.body;
  return (payload) => {
    const data = parseExactFields(payload) ?? {};
    const budget = new Budget();
    budget.take(config.url.length);
    const filled: Record<string, string> = {};
    for (const { name, value } of headers) {
      budget.take(name.length);
      filled[name] = fill(value, data, 'none', budget).replace(/\p{Cc}/gu, '');
    }
    if (body === null && config.payload === null)
      return { method: config.method, headers: filled, body: null };
    const type = (filled['content-type'] ??= 'application/json');
    const escape = isJson(type) ? 'json' : isForm(type) ? 'form' : 'html';
    const text = body === null ? encodeFields(fields, data, type, budget) : fill(body, data, escape, budget);
    return { method: config.method, headers: filled, body: text };
  };
}

/** Templates that do not parse, by field. */
export function checkTemplates(config: WebhookCustomConfig): Violation[] {
  const violations: Violation[] = [];
  const check = (path: string, source: string): void => {
    try {
      parseTemplate(source);
      refuseCode(source);
    } catch (error) {
      violations.push({ path, text: messageOf(error) });
    }
  };
  if (config.headers_format)
    for (const [name, value] of Object.entries(config.headers)) check(`config.headers.${name}`, value);
  if (config.payload_format)
    for (const [name, value] of Object.entries(config.payload ?? {})) check(`config.payload.${name}`, value);
  if (config.body_format && config.body !== null) check('config.body', config.body);
  return violations;
}

function encodeFields(fields: Part[], data: unknown, type: string, budget: Budget): string {
  for (const { name } of fields) budget.take(name.length + 4);
  if (!isForm(type)) {
    // The encoder below escapes for JSON. We do not encode other types, so they get JSON as well.
    const filled = fields.map(({ name, value }) => [name, fill(value, data, 'none', budget)] as const);
    return JSON.stringify(Object.fromEntries(filled));
  }
  // The form's own encoding escapes values, raw insertions included.
  const form = new URLSearchParams();
  for (const { name, value } of fields) form.append(name, fill(value, data, 'none', budget));
  return form.toString();
}

const isForm = (type: string): boolean => /^\s*application\/x-www-form-urlencoded\b/i.test(type);

const isJson = (type: string): boolean => /^(?:application|text)\/(?:[\w.+-]+\+)?json\b/i.test(type.trim());

function fill(value: string | Template, data: unknown, escape: Escape, budget: Budget): string {
  if (typeof value !== 'string') return render(value, data, escape, budget);
  budget.take(value.length);
  return value;
}
