import type { Protocol } from '../../src/pdk/index.ts';
import type { Gateway, Provenance } from '../gateways/gateway.ts';
import { provenanceOf } from '../gateways/gateway.ts';
import { bytesShown } from '../gateways/messages.ts';
import { probeFor } from '../gateways/plugins.ts';
import { within } from '../gateways/quiet.ts';
import { exchange } from '../gateways/raw-exchange.ts';
import { Bench } from './bench.ts';
import type { MergingCase } from './merging-cases.ts';
import { mergingCases } from './merging-cases.ts';

interface Side {
  readonly single: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly all: Readonly<Record<string, unknown>>;
}

export interface Merging extends Partial<Provenance> {
  readonly kong: string;
  readonly note: string;
  readonly cases: Readonly<
    Record<string, { readonly request: readonly unknown[]; readonly protobuf: Side; readonly msgpack: Side }>
  >;
}

/** Asks for headers one by one and all at once, for the same raw requests, over both protocols. */
export async function recordMerging(gateway: Gateway, only?: readonly string[]): Promise<Merging> {
  const bench = await Bench.open(gateway);
  try {
    const provenance = await provenanceOf(gateway);
    const cases = Object.entries(mergingCases).filter(([name]) => only?.includes(name) ?? true);
    const sides: Record<Protocol, Record<string, Side>> = { protobuf: {}, msgpack: {} };
    for (const protocol of ['protobuf', 'msgpack'] as const) {
      const probe = await bench.use(probeFor(protocol, false));
      for (const [name, each] of cases) {
        probe.run({
          rewrite: [
            ...each.asked.map((header) => ['kong.request.get_header', header] as const),
            ['kong.request.get_headers', 100],
          ],
        });
        await exchange(bench.gateway.proxy, requestOf(each));
        await within(1000, () => probe.ended('log') > 0);
        sides[protocol][name] = sideOf(
          each,
          probe.happened.flatMap(({ ok }) => (ok === undefined ? [] : [valueOf(ok.v)])),
        );
      }
    }
    const both = cases.map(([name, { lines }]) => [
      name,
      { request: shownLines(lines), protobuf: sides.protobuf[name], msgpack: sides.msgpack[name] },
    ]);
    return {
      ...provenance,
      note:
        'Values of kong.request.get_header (single, asked one by one) and get_headers (all) for the same raw request, over ' +
        'both protocols. Connection: close is sent, too, and counts. Values over 60 characters are shown as their length; ' +
        'of more than 20 headers the asked ones are shown. Null is an empty answer over either protocol.',
      cases: Object.fromEntries(both) as Merging['cases'],
    };
  } finally {
    await bench.close();
  }
}

const requestOf = ({ lines }: MergingCase): string =>
  ['GET /merging HTTP/1.1', 'Connection: close', ...lines, '', ''].join('\r\n');

/** Lines of a request; of many, the first, how many more, and the last. */
function shownLines(lines: readonly string[]): unknown[] {
  const shown = lines.map((line) => {
    if (line.length > 60) return `${line.slice(0, 20)}... (${String(line.length)})`;
    return bytesShown(Buffer.from(line, 'latin1'));
  });
  return shown.length <= 20 ? shown : [shown[0], `${String(shown.length - 1)} more`, shown.at(-1)];
}

const shortened = (value: unknown): unknown =>
  typeof value === 'string' && value.length > 60 ? { length: value.length } : value;

/** A message of ProtoBuf:1 as the value that it carries; MsgPack:1 has it as it is. */
function valueOf(v: unknown): unknown {
  if (typeof v !== 'object' || v === null) return v ?? null;
  const message = v as Record<string, unknown>;
  if ('fields' in message) return fields(message['fields']);
  if ('bin' in message) return Buffer.from(String(message['bin']), 'latin1').toString();
  if ('v' in message) return valueOf(message['v']);
  return Object.keys(message).length === 0 ? null : message;
}

function fields(given: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(Object(given) as Record<string, Record<string, unknown>>).map(([name, value]) => {
      const list = value['listValue'] as { values?: Record<string, unknown>[] } | undefined;
      return [name, list?.values?.map((each) => each['stringValue']) ?? value['stringValue']];
    }),
  );
}

function sideOf({ asked }: MergingCase, values: readonly unknown[]): Side {
  const single = Object.fromEntries(
    asked.map((name, at) => [name, values[at] === '' ? null : shortened(values[at] ?? null)]),
  );
  const table = Object(values[asked.length]) as Record<string, unknown>;
  // The counted entries are Kong's: a list of one header over MsgPack:1 is one value.
  const count = Object.keys(table).length;
  const entries = Object.entries(table).filter(
    ([name]) => count <= 20 || asked.some((each) => each.toLowerCase() === name),
  );
  return {
    single,
    count,
    all: Object.fromEntries(
      entries.map(([name, v]) => [name, shortened(Array.isArray(v) && v.length === 1 ? v[0] : v)]),
    ),
  };
}
