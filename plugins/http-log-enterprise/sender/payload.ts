import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { SenderSettings } from '../config/settings.ts';

const compress = promisify(gzip);
const open = Buffer.from('[');
const comma = Buffer.from(',');
const close = Buffer.from(']');

/** The bytes of a batch: the record itself, or a JSON array of the records, without parsing any of them. */
export function joinRecords(records: readonly Buffer[], array: boolean): Buffer {
  if (!array && records.length === 1) return records[0] ?? Buffer.alloc(0);
  const parts: Buffer[] = [open];
  records.forEach((record, i) => {
    if (i > 0) parts.push(comma);
    parts.push(record);
  });
  parts.push(close);
  return Buffer.concat(parts);
}

export async function buildPayload(
  records: readonly Buffer[],
  settings: Pick<SenderSettings, 'array' | 'compression'>,
): Promise<{ body: Buffer; headers: Record<string, string> }> {
  const plain = joinRecords(records, settings.array);
  if (settings.compression === 'none') return { body: plain, headers: {} };
  return { body: await compress(plain), headers: { 'content-encoding': 'gzip' } };
}
