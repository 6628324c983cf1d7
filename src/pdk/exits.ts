import { Buffer } from 'node:buffer';
import { KongTsError } from '../base/errors.ts';
import { givenContentType } from './argument-relations.ts';
import { errorBody, errorContentType, errorMessage } from './bodies/error-body.ts';
import type { PhaseChannel } from './channel.ts';
import { ask, pdkFunction } from './functions.ts';
import { survivesLua } from './json-values.ts';

type SentHeaders = Readonly<Record<string, string | string[]>>;

const json = 'application/json; charset=utf-8';

/** Sends the last call of an event. Its rejection is handled, so that an exit that is not awaited harms nobody. */
function leave(channel: PhaseChannel, name: string, args: readonly unknown[]): Promise<never> {
  const left = channel.exit(pdkFunction(name).row, args);
  left.catch(() => undefined);
  return left;
}

/**
 * kong.response.exit. An object as body is made JSON here, with its Content-Type, unless Kong's Lua can hold it without
 * loss over MsgPack:1: Kong then does it itself, and on gRPC requests makes `message` of it the grpc-message.
 */
export function exit(channel: PhaseChannel, [status, body, given]: readonly unknown[]): Promise<never> {
  const headers = channel.protocol === 'protobuf' ? withoutLength(status, body, given) : given;
  const structured = typeof body === 'object' && body !== null && !Buffer.isBuffer(body);
  if (!structured || (channel.protocol === 'msgpack' && survivesLua(body))) {
    return leave(channel, 'kong.response.exit', trimmed([status, body, headers]));
  }
  const text = jsonText('kong.response.exit(): body', body);
  const typed = givenContentType(headers) === undefined && channel.phase !== 'preread';
  const sent = typed ? { ...(headers as SentHeaders | undefined), 'Content-Type': json } : headers;
  return leave(channel, 'kong.response.exit', trimmed([status, text, sent]));
}

/** Statuses whose answers have neither a body nor a length. */
const bodiless: readonly unknown[] = [204, 304];

/**
 * ProtoBuf:1 has no way to give no body, and Kong sends the length of an empty one. A header with an empty list sets
 * nothing, and keeps Kong from setting its own (read in Kong 3.9.3).
 */
function withoutLength(status: unknown, body: unknown, headers: unknown): unknown {
  const empty = body === undefined || body === null || body === '';
  if (!empty || !bodiless.includes(status)) return headers;
  const sent = (headers ?? {}) as SentHeaders;
  const given = Object.keys(sent).some((name) => /^content[-_]length$/i.test(name));
  return given ? headers : { ...sent, 'Content-Length': [] };
}

function jsonText(what: string, value: object): string {
  try {
    const text: unknown = JSON.stringify(value);
    if (typeof text === 'string') return text;
  } catch (cause) {
    throw new KongTsError('PDK_INVALID_ARGUMENT', `${what} cannot be written as JSON.`, { cause });
  }
  throw new KongTsError('PDK_INVALID_ARGUMENT', `${what} cannot be written as JSON.`);
}

/** The message of an error as Kong writes it: an object as JSON. */
function messageText(message: unknown): string | undefined {
  if (typeof message === 'object' && message !== null)
    return jsonText('kong.response.error(): message', message);
  return typeof message === 'string' ? message : undefined;
}

/** null in the middle is nil in Lua; at the end nothing travels. */
function trimmed(args: unknown[]): unknown[] {
  while (args.length > 0 && args.at(-1) == null) args.pop();
  return args.map((value) => value ?? null);
}

/** kong.response.error over MsgPack:1: Kong's own, with the header name that it looks for. */
export function nativeError(channel: PhaseChannel, args: readonly unknown[]): Promise<never> {
  const [status, message, headers] = args;
  const sent = [status, messageText(message), withOneContentType(headers)];
  return leave(channel, 'kong.response.error', trimmed(sent));
}

function withOneContentType(headers: unknown): unknown {
  const type = givenContentType(headers);
  if (type === undefined) return headers;
  const others = Object.entries(headers as SentHeaders).filter(([name]) => !/^content[-_]type$/i.test(name));
  return { ...Object.fromEntries(others), 'Content-Type': type };
}

/** kong.response.error over ProtoBuf:1: Kong's error body made here, sent with exit. */
export async function composedError(event: PhaseChannel, args: readonly unknown[]): Promise<never> {
  const [status, message, headers] = args as [number, unknown, SentHeaders | undefined];
  const given = givenContentType(headers);
  const text = messageText(message) ?? errorMessage(status);
  const channel = event.lastWords?.() ?? event;
  const [requestId, contentType] = await Promise.all([
    ask(channel, 'kong.nginx.get_var', 'kong_request_id'),
    given ?? negotiatedType(channel),
  ]);
  const body =
    contentType === 'application/grpc'
      ? undefined
      : errorBody(contentType, text, (requestId as string) ?? '');
  const sent = { ...(withOneContentType(headers) as SentHeaders | undefined), 'Content-Type': contentType };
  return leave(channel, 'kong.response.exit', trimmed([status, body, sent]));
}

async function negotiatedType(channel: PhaseChannel): Promise<string> {
  const [accept, requestType] = (await Promise.all([
    ask(channel, 'kong.nginx.get_var', 'http_accept'),
    ask(channel, 'kong.nginx.get_var', 'content_type'),
  ])) as [string | null, string | null];
  if (requestType?.startsWith('application/grpc') === true) {
    const version = await ask(channel, 'kong.request.get_http_version');
    if (version === 2) return 'application/grpc';
  }
  return errorContentType(accept);
}
