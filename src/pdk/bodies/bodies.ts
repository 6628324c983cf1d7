import type { Buffer } from 'node:buffer';
import { randomInt } from 'node:crypto';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { decodeText, encodeText } from '../../base/text.ts';
import { isPlainObject } from '../json-values.ts';
import type { ParsedBody } from '../types/values.ts';
import { encodeMultipart, parseMultipart } from './multipart.ts';
import { encodeForm, parseQuery } from './query.ts';
import type { FormValue } from './query.ts';

type BodyType = 'json' | 'form' | 'multipart';

const bodyTypes: readonly (readonly [string, BodyType])[] = [
  ['application/x-www-form-urlencoded', 'form'],
  ['application/json', 'json'],
  ['multipart/form-data', 'multipart'],
];

/** Which of Kong's three body types a Content-Type is, null for others (Kong 3.9 compares beginnings). */
export function bodyTypeOf(contentType: string): BodyType | null {
  const lower = contentType.toLowerCase();
  return bodyTypes.find(([beginning]) => lower.startsWith(beginning))?.[1] ?? null;
}

/**
 * Parses a body by its content type as Kong's get_body does.
 * @param maxArgs fields of a urlencoded form that are looked at
 * @throws KongTsError PDK_BODY_MALFORMED
 */
export function parseBody(type: BodyType, contentType: string, body: Buffer, maxArgs: number): ParsedBody {
  if (type === 'form') return parseQuery(decodeText(body), maxArgs);
  return type === 'multipart' ? parseMultipart(body, contentType) : parseJson(body);
}

function parseJson(body: Buffer): ParsedBody {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decodeText(body));
  } catch (cause) {
    throw new KongTsError('PDK_BODY_MALFORMED', `The body is not JSON${jsonReason(cause)}.`, {
      cause,
    });
  }
  if (typeof parsed === 'object' && parsed !== null) return parsed as ParsedBody;
  throw new KongTsError('PDK_BODY_MALFORMED', 'The body is not a JSON object or array.');
}

/** Why it is not JSON, without the part of the body that V8 quotes, because the text goes to logs. */
function jsonReason(cause: unknown): string {
  const text = messageOf(cause).replace(/, (\.\.\.)?".*$/s, '');
  return text === '' ? '' : `: ${text}`;
}

/** A body as bytes and the Content-Type that belongs to it. */
export interface EncodedBody {
  readonly body: Buffer;
  readonly contentType: string;
}

/**
 * Encodes a body by its content type as Kong's set_body does.
 * @throws KongTsError PDK_INVALID_ARGUMENT for another content type or a value that it cannot hold
 */
export function encodeBody(value: object, contentType: string): EncodedBody {
  switch (bodyTypeOf(contentType)) {
    case 'json':
      return { body: encodeText(JSON.stringify(value)), contentType };
    case 'form':
      return { body: encodeText(encodeForm(formFields(value))), contentType };
    case 'multipart':
      return encodeMultipart(multipartFields(value), contentType, () => String(randomInt(1e10)));
    case null:
      throw refusal(
        `mimetype must be application/json, application/x-www-form-urlencoded or multipart/form-data, not ${JSON.stringify(contentType)}`,
      );
  }
}

function refusal(what: string): KongTsError {
  return new KongTsError('PDK_INVALID_ARGUMENT', `kong.service.request.setBody(): ${what}.`);
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

function formFields(value: object): Record<string, FormValue> {
  if (!isPlainObject(value)) throw refusal('args must be an object for a form, not an array');
  const entries = Object.entries(value).filter(([, field]) => field !== undefined && field !== null);
  for (const [name, field] of entries) {
    if (isScalar(field) || (Array.isArray(field) && field.every(isScalar))) continue;
    throw refusal(`args[${JSON.stringify(name)}] must be a string, a number, a boolean or an array of them`);
  }
  return Object.fromEntries(entries) as Record<string, FormValue>;
}

function multipartFields(value: object): Record<string, string | number | boolean> {
  if (!isPlainObject(value)) throw refusal('args must be an object for a form, not an array');
  const entries = Object.entries(value).filter(([, field]) => field !== undefined && field !== null);
  for (const [name, field] of entries) {
    if (/[\r\n]/.test(name)) throw refusal(`the name ${JSON.stringify(name)} in args must be one line`);
    if (isScalar(field)) continue;
    throw refusal(`args[${JSON.stringify(name)}] must be a string, a number or a boolean`);
  }
  return Object.fromEntries(entries) as Record<string, string | number | boolean>;
}
