import type { IncomingMessage } from 'node:http';
import { formPairs, multipartFields } from '../../http/index.ts';
import { asRecord, isDeeperThan, isTable } from '../../kong-end/index.ts';
import type { PlainObject } from '../../kong-end/index.ts';
import { message, unexpected } from './answers.ts';
import { decodeForm } from './form.ts';
import type { Answer } from './types.ts';

export interface Body {
  readonly body: PlainObject;
  readonly form: boolean;
  readonly raw: Buffer;
}

/** How deep Kong's JSON decoder goes (lua-cjson's default). */
const maxDepth = 1000;

export const noBody: Body = { body: {}, form: false, raw: Buffer.alloc(0) };

/** Reads a whole body; null when it is larger than the limit. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The body as an object, or Kong's refusal. YAML is taken by `/config` only. */
export function parseBody(raw: Buffer, contentType: string | undefined, yaml: boolean): Body | Answer {
  if (contentType === undefined) return raw.length === 0 ? noBody : { status: 415 };
  const type = contentType.toLowerCase();
  if (type.startsWith('application/json')) return parseJson(raw);
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return parseForm(formPairs(raw.toString()), raw);
  }
  if (type.startsWith('multipart/form-data')) {
    return parseForm(multipartFields(raw, contentType), raw);
  }
  if (yaml && (type.startsWith('application/yaml') || type.startsWith('text/yaml'))) {
    return { body: {}, form: false, raw };
  }
  return { status: 415 };
}

function parseForm(pairs: Iterable<[string, string]>, raw: Buffer): Body | Answer {
  const body = decodeForm(pairs);
  return body === null ? message(400, 'Cannot parse form body') : { body, form: true, raw };
}

function parseJson(raw: Buffer): Body | Answer {
  try {
    const value: unknown = JSON.parse(raw.toString());
    if (isDeeperThan(value, maxDepth)) return message(400, 'Cannot parse JSON body');
    // Kong takes the arguments out of whatever it is: a number, a text or `true` cannot be gone through.
    if (value !== null && !isTable(value)) return unexpected;
    return { body: isTable(value) ? asRecord(value) : {}, form: false, raw };
  } catch {
    return message(400, 'Cannot parse JSON body');
  }
}
