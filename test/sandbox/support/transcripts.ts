import { readdirSync, readFileSync } from 'node:fs';
import type { Call, Happened } from './scripted-server.ts';

const folder = new URL('../../fixtures/kong/transcripts/', import.meta.url);

interface RecordedCall {
  phase: string;
  method?: string;
  args?: unknown[];
  ok?: { type?: string; bytes?: number; v?: unknown; via?: string; has?: boolean };
  err?: string;
  done?: boolean;
  unknown_instance?: number;
}

export interface Transcript {
  protocol: 'ProtoBuf:1' | 'MsgPack:1';
  scenario: string;
  what: string;
  script: Record<string, Call[]>;
  client: { status: number; headers: Record<string, string | string[]>; body: string } | { raw: string };
  calls: RecordedCall[];
}

/** The sessions of a real Kong 3.9.3. */
export function transcripts(): Transcript[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Transcript);
}

/** The recorded value of a call in the form of a scripted server's calls. */
export function recordedValue(call: RecordedCall): unknown {
  const { ok } = call;
  if (ok === undefined) return undefined;
  return ok.type === undefined ? ok.v : neutral(ok.type, ok.v as Record<string, unknown>);
}

/** A decoded ProtoBuf message of the recording as the neutral value of src/wire. */
function neutral(type: string, message: Record<string, unknown>): unknown {
  switch (type) {
    case 'Empty':
      return null;
    case 'String':
      return message['v'] ?? '';
    case 'Int':
    case 'Number':
      return message['v'] ?? 0;
    case 'Bool':
      return message['v'] ?? false;
    case 'ByteString':
      return { bin: bytesOf(message['v']) };
    case 'Struct':
      return structOf(message);
    case 'Value':
      return valueOf(message);
    case 'RawBodyResult':
      return 'content' in message ? { content: { bin: bytesOf(message['content']) } } : message;
    case 'Route':
    case 'Service':
    case 'Consumer':
    case 'AuthenticatedCredential':
      return Object.keys(message).length === 0 ? null : message;
    default:
      return message;
  }
}

function structOf(struct: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries((struct['fields'] ?? {}) as Record<string, Record<string, unknown>>).map(
      ([name, value]) => [name, valueOf(value)],
    ),
  );
}

function valueOf(value: Record<string, unknown>): unknown {
  if ('structValue' in value) return structOf(value['structValue'] as Record<string, unknown>);
  if ('listValue' in value)
    return ((value['listValue'] as { values?: Record<string, unknown>[] }).values ?? []).map(valueOf);
  return value['stringValue'] ?? value['numberValue'] ?? value['boolValue'] ?? null;
}

/** What a scripted server got, in the form of the recording. */
export function happenedValue(call: Happened): unknown {
  return plain(call.value);
}

function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { bin: value.toString('latin1') };
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

/** A ProtoBuf record as the recording shows it: without its zero values. */
export function withoutZeros(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== false && member !== 0 && member !== ''),
  );
}

/** Bytes of the recording, as text or in hexadecimal, as one character per byte. */
function bytesOf(value: unknown): unknown {
  const hex = typeof value === 'object' && value !== null ? (value as { hex?: unknown }).hex : null;
  return typeof hex === 'string' ? Buffer.from(hex, 'hex').toString('latin1') : (value ?? '');
}

const varying = new Set([
  'id',
  'created_at',
  'updated_at',
  'started_at',
  'http_allocated_gc',
  'pid',
  'date',
  'x-kong-request-id',
  'x-kong-proxy-latency',
  'x-kong-upstream-latency',
  'x-kong-response-latency',
  'balancer_start',
  'balancer_start_ns',
  'balancer_latency',
  'balancer_latency_ns',
  'latencies',
  'x-credential-identifier',
  'body_filepath',
  'total_requests',
  'request_id',
]);

/** Sizes of answers change with the number of digits in ports and latencies; those of requests do not. */
function isAnswerSize(name: string, value: unknown): boolean {
  return (name === 'size' || name === 'content-length') && Number(value) > 600 && Number(value) < 2000;
}

/** Replaces what differs from run to run (ids, times, ports) by its type, everywhere in a value. */
export function stable(value: unknown, ports: ReadonlyMap<number, number>): unknown {
  if (typeof value === 'number') return ports.get(value) ?? value;
  if (typeof value === 'string') {
    if (/^\d{4,5}$/.test(value)) return String(ports.get(Number(value)) ?? value);
    if (value.startsWith('{') && value.endsWith('}')) return stable(JSON.parse(value), ports);
    let text = value.replace(/"request_id":"[0-9a-f]{32}"/, '"request_id":""');
    for (const [here, there] of ports) text = text.replaceAll(`:${String(here)}`, `:${String(there)}`);
    return text.replace(/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} .* GMT$/, 'DATE');
  }
  if (Array.isArray(value)) return value.map((each) => stable(each, ports));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      varying.has(name.toLowerCase()) || isAnswerSize(name, member)
        ? typeof (Array.isArray(member) ? member[0] : member)
        : stable(member, ports),
    ]),
  );
}
