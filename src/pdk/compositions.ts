import { Buffer } from 'node:buffer';
import { KongTsError } from '../base/errors.ts';
import { bodyTypeOf, encodeBody, parseBody } from './bodies/bodies.ts';
import { firstQueryValue, removeQueryArg } from './bodies/query.ts';
import type { FunctionRow } from './catalogue.ts';
import type { PhaseChannel } from './channel.ts';
import { ask, pdkFunction, tell } from './functions.ts';
import { toBytes } from './results.ts';

/** A function that is made here; its arguments are checked already. */
export type Composed = (channel: PhaseChannel, args: readonly unknown[]) => Promise<unknown>;

async function peerIsTrusted(channel: PhaseChannel): Promise<boolean> {
  const ip = await ask(channel, 'kong.client.get_ip');
  return (await ask(channel, 'kong.ip.is_trusted', ip)) === true;
}

/** A forwarding header if the peer is trusted, otherwise Kong's own value. Asks for all of them at once. */
async function forwarded(
  channel: PhaseChannel,
  header: string,
  otherwise: Promise<unknown>,
): Promise<unknown> {
  const [trusted, given, own] = await Promise.all([
    peerIsTrusted(channel),
    ask(channel, 'kong.request.get_header', header),
    otherwise,
  ]);
  return trusted && given !== null ? given : own;
}

async function rawPath(channel: PhaseChannel): Promise<string> {
  const target = (await ask(channel, 'kong.request.get_path_with_query')) as string;
  // A question mark in the first place does not begin a query (Kong 3.9).
  const query = target.indexOf('?', 1);
  return query === -1 ? target : target.slice(0, query);
}

async function startTime(channel: PhaseChannel): Promise<number> {
  const started = await ask(channel, 'kong.nginx.get_ctx', 'KONG_PROCESSING_START');
  if (typeof started === 'number') return started;
  const seconds = (await ask(channel, 'kong.nginx.req_start_time')) as number;
  return Math.round(seconds * 1000);
}

/** In log: the status of the last try, which Kong writes as a number or as a text such as `502, 200`. */
async function upstreamStatus(channel: PhaseChannel): Promise<number | null> {
  const record = (await ask(channel, 'kong.log.serialize')) as { upstream_status?: unknown };
  const { upstream_status: given } = record;
  const status = typeof given === 'string' ? Number(given.slice(-3)) : given;
  return typeof status === 'number' && Number.isInteger(status) && status > 0 ? status : null;
}

/** In log: an entity as the record has it. */
async function ofRecord(
  channel: PhaseChannel,
  name: string,
  field: 'consumer' | 'authenticated_entity',
): Promise<unknown> {
  const record = (await ask(channel, 'kong.log.serialize')) as Record<string, unknown>;
  return pdkFunction(name).decode(record[field] ?? null);
}

async function clearQueryArg(channel: PhaseChannel, name: string): Promise<void> {
  const query = (await ask(channel, 'kong.request.get_raw_query')) as string;
  if (query !== '') tell(channel, 'kong.service.request.set_raw_query', removeQueryArg(query, name));
}

/** kong.request.getRawBody: from Kong, or from the file that Kong names. */
export async function rawBody(channel: PhaseChannel, maxFileSize: number | undefined): Promise<Buffer> {
  const { row } = pdkFunction('kong.request.get_raw_body');
  if (channel.protocol === 'msgpack') return msgpackBody(channel, row, maxFileSize);
  const answer = await channel.call(row, []);
  if (typeof answer !== 'object' || answer === null || Buffer.isBuffer(answer)) return toBytes(answer);
  if ('content' in answer) return toBytes(answer.content);
  if ('body_filepath' in answer) return bodyFile(channel, String(answer.body_filepath), maxFileSize);
  const reason = 'error' in answer ? String(answer.error) : 'Kong gave no reason';
  throw new KongTsError('PDK_BODY_UNAVAILABLE', `Kong has no request body to give: ${reason}.`);
}

/**
 * The body over MsgPack:1. If Kong has nothing to give, it ends the request with a 500. Without a size, this happens
 * for every body on disk. With a size, it happens for a larger body. So this asks for 0, no limit, and checks the size
 * here. A Kong before 3.8 does not know this argument, so a body on its disk is read from the file.
 */
async function msgpackBody(
  channel: PhaseChannel,
  row: FunctionRow,
  maxFileSize: number | undefined,
): Promise<Buffer> {
  const file = (await mayFailOnDisk(channel)) ? await fileOfBody(channel) : null;
  if (file !== null) return bodyFile(channel, file, maxFileSize);
  const body = toBytes(await channel.call(row, [0]));
  // Kong gives a body that it keeps in memory, whatever its size.
  if (maxFileSize === undefined || maxFileSize === 0 || body.length <= maxFileSize) return body;
  if (body.length <= inMemory) return body;
  throw new KongTsError(
    'PDK_BODY_UNAVAILABLE',
    `The request body has ${body.length} bytes, above the limit of ${maxFileSize}.`,
  );
}

/** Kong's client_body_buffer_size unless it is configured, in bytes. */
const inMemory = 8 * 1024;

/** True for a body that may be on the disk of a Kong before 3.8. */
async function mayFailOnDisk(channel: PhaseChannel): Promise<boolean> {
  if (await readsBodyFiles(channel)) return false;
  const length = (await ask(channel, 'kong.nginx.get_var', 'http_content_length')) as string | null;
  if (length !== null) return Number(length) > inMemory;
  // HTTP/2 needs neither header for a body.
  const version = (await ask(channel, 'kong.nginx.get_var', 'server_protocol')) as string | null;
  return (
    !/^HTTP\/[01]/.test(version ?? '') ||
    (await ask(channel, 'kong.nginx.get_var', 'http_transfer_encoding')) !== null
  );
}

/**
 * Whether Kong reads bodies on its disk itself: since 3.8, which is also the first with the variable `upstream_via`
 * (read in Kong 3.4 to 3.9). A variable that is not set is empty, and an unknown one is nil.
 */
async function readsBodyFiles(channel: PhaseChannel): Promise<boolean> {
  const known = channel.facts?.readsBodyFiles ?? null;
  if (known !== null) return known;
  const { row } = pdkFunction('kong.nginx.get_var');
  const reads = (await channel.call(row, ['upstream_via'])) != null;
  if (channel.facts !== undefined) channel.facts.readsBodyFiles = reads;
  return reads;
}

/** The file of a body on disk, once Kong has read it: get_body makes it do so, and only ever answers. */
async function fileOfBody(channel: PhaseChannel): Promise<string | null> {
  const { row } = pdkFunction('kong.request.get_body');
  await channel.call(row, ['application/json']).catch(() => null);
  return (await ask(channel, 'kong.nginx.get_var', 'request_body_file')) as string | null;
}

async function bodyFile(
  channel: PhaseChannel,
  path: string,
  maxFileSize: number | undefined,
): Promise<Buffer> {
  const fix = "Raise Kong's client_body_buffer_size, or let this server share files and user with Kong.";
  const what = `Kong has buffered the request body to the file ${path}`;
  if (channel.readFile === undefined) {
    throw new KongTsError('PDK_BODY_UNAVAILABLE', `${what}, and files may not be read here.`, { fix });
  }
  const limit = maxFileSize === undefined || maxFileSize === 0 ? undefined : maxFileSize;
  let bytes: Buffer;
  try {
    bytes = await channel.readFile(path, limit);
  } catch (cause) {
    if (cause instanceof KongTsError) throw cause;
    throw new KongTsError('PDK_BODY_UNAVAILABLE', `${what}, which cannot be read.`, { cause, fix });
  }
  if (limit === undefined || bytes.length <= limit) return bytes;
  throw new KongTsError(
    'PDK_BODY_UNAVAILABLE',
    `${what} of ${bytes.length} bytes, above the limit of ${limit}.`,
  );
}

/** getBody of the request or the upstream's response. */
async function parsedBody(
  mimetype: unknown,
  contentType: () => Promise<unknown>,
  body: () => Promise<Buffer>,
  maxArgs: unknown,
): Promise<unknown> {
  const type = (mimetype ?? (await contentType())) as string | null;
  const known = type === null ? null : bodyTypeOf(type);
  if (type === null || known === null) return null;
  return parseBody(known, type, await body(), maxArgs as number);
}

async function setBody(channel: PhaseChannel, value: object): Promise<boolean> {
  const type = (await ask(channel, 'kong.request.get_header', 'content-type')) as string | null;
  if (type === null) return false;
  sendBody(channel, value, type);
  return true;
}

function sendBody(channel: PhaseChannel, value: object, mimetype: string): void {
  const { body, contentType } = encodeBody(value, mimetype);
  tell(channel, 'kong.service.request.set_raw_body', body);
  tell(channel, 'kong.service.request.set_header', 'Content-Type', contentType);
}

/** Functions that are composed over at least one protocol, by wire name. */
export const compositions: Readonly<Record<string, Composed>> = {
  'kong.log': async (channel, values) => tell(channel, 'kong.log.notice', ...values),
  'kong.client.get_consumer': (channel) => ofRecord(channel, 'kong.client.get_consumer', 'consumer'),
  'kong.client.get_credential': (channel) =>
    ofRecord(channel, 'kong.client.get_credential', 'authenticated_entity'),
  'kong.plugin.get_id': async (channel) => {
    const id = await ask(channel, 'kong.nginx.get_ctx', 'plugin_id');
    return typeof id === 'string' && id !== '' ? id : null;
  },
  'kong.request.get_forwarded_path': (channel) =>
    forwarded(channel, 'x-forwarded-path', ask(channel, 'kong.request.get_path')),
  'kong.request.get_forwarded_prefix': (channel) =>
    forwarded(
      channel,
      'x-forwarded-prefix',
      ask(channel, 'kong.nginx.get_var', 'upstream_x_forwarded_prefix'),
    ),
  'kong.request.get_raw_path': rawPath,
  'kong.request.get_start_time': startTime,
  'kong.request.get_query_arg': async (channel, [name]) =>
    firstQueryValue((await ask(channel, 'kong.request.get_raw_query')) as string, name as string),
  'kong.request.get_body': (channel, [mimetype, maxArgs, maxFileSize]) =>
    parsedBody(
      mimetype,
      () => ask(channel, 'kong.request.get_header', 'content-type'),
      () => rawBody(channel, (maxFileSize as number | null | undefined) ?? undefined),
      maxArgs,
    ),
  'kong.service.response.get_status': upstreamStatus,
  'kong.service.response.get_body': (channel, [mimetype, maxArgs]) =>
    parsedBody(
      mimetype,
      () => ask(channel, 'kong.service.response.get_header', 'content-type'),
      async () => (await ask(channel, 'kong.service.response.get_raw_body')) as Buffer,
      maxArgs,
    ),
  'kong.service.request.clear_query_arg': (channel, [name]) => clearQueryArg(channel, name as string),
  'kong.service.request.set_body': async (channel, [value, mimetype]) => {
    if (typeof mimetype !== 'string') return setBody(channel, value as object);
    sendBody(channel, value as object, mimetype);
    return true;
  },
};
