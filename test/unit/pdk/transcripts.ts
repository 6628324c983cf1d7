import { readFileSync } from 'node:fs';
import type { Answers } from './fake-channel.ts';
import type { Protocol } from '../../../src/pdk/index.ts';

interface RecordedCall {
  readonly phase: string;
  readonly method?: string;
  readonly args?: readonly unknown[];
  readonly ok?: { readonly type?: string; readonly has?: boolean; readonly v?: unknown };
}

/** One PDK call of a recorded session of Kong 3.9.3, with its answer as a channel gives it. */
export interface TranscriptCall {
  readonly phase: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly answer: unknown;
}

/** The answered calls of a transcript. */
export function transcriptCalls(protocol: Protocol, scenario: string): TranscriptCall[] {
  const file = new URL(`../../fixtures/kong/transcripts/${protocol}-${scenario}.json`, import.meta.url);
  const { calls } = JSON.parse(readFileSync(file, 'utf8')) as { calls: RecordedCall[] };
  return calls.flatMap(({ phase, method, args, ok }) =>
    method === undefined || ok === undefined
      ? []
      : [
          {
            phase,
            name: method,
            args: args ?? [],
            answer: protocol === 'protobuf' ? fromMessage(ok) : fromStep(ok.v),
          },
        ],
  );
}

/** A channel's answers from a transcript: by name and arguments, else by name. */
export function answersOf(calls: readonly TranscriptCall[]): Answers {
  return (name, args) => {
    const same = calls.filter((call) => call.name === name);
    return (
      (same.find((call) => JSON.stringify(call.args) === JSON.stringify(args)) ?? same[0])?.answer ?? null
    );
  };
}

function fromStep(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'bin' in value)
    return Buffer.from(String(value.bin), 'latin1');
  return value ?? null;
}

interface StructValue {
  readonly stringValue?: string;
  readonly numberValue?: number;
  readonly boolValue?: boolean;
  readonly listValue?: { readonly values?: StructValue[] };
  readonly structValue?: { readonly fields?: Record<string, StructValue> };
}

function fromValue(value: StructValue): unknown {
  if (value.listValue !== undefined) return (value.listValue.values ?? []).map(fromValue);
  if (value.structValue !== undefined) return fromStruct(value.structValue);
  return value.stringValue ?? value.numberValue ?? value.boolValue ?? null;
}

function fromStruct(struct: { readonly fields?: Record<string, StructValue> }): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(struct.fields ?? {}).map(([name, value]) => [name, fromValue(value)]),
  );
}

/** The transcripts show messages as a plain ProtoBuf decoder gives them; zero values are left out. */
function fromMessage({ type, v }: { readonly type?: string; readonly v?: unknown }): unknown {
  const message = (v ?? {}) as Record<string, unknown>;
  switch (type) {
    case 'String':
      return message['v'] ?? '';
    case 'Int':
    case 'Number':
      return message['v'] ?? 0;
    case 'Bool':
      return message['v'] ?? false;
    case 'ByteString':
      return bytes(message['v'] ?? '');
    case 'Struct':
      return fromStruct(message);
    case 'Value':
      return fromValue(message);
    case 'RawBodyResult':
      return 'content' in message ? { content: bytes(message['content']) } : message;
    case 'Empty':
      return null;
    default:
      return Object.keys(message).length === 0 ? null : message;
  }
}

function bytes(value: unknown): Buffer {
  if (typeof value === 'object' && value !== null && 'hex' in value)
    return Buffer.from(String(value.hex), 'hex');
  return Buffer.from(String(value));
}
