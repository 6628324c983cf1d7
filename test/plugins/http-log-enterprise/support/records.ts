import { readFileSync } from 'node:fs';

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../fixtures/kong/${name}`, import.meta.url), 'utf8')) as unknown;

interface Transcript {
  wire: [string, number, string?][];
}

/** The record that Kong 3.9.3 gave to a plugin server over ProtoBuf:1, byte for byte. */
export function recordOf(transcript: string): Buffer {
  for (const [direction, , hex] of (fixture(`transcripts/${transcript}.json`) as Transcript).wire) {
    const bytes = Buffer.from(direction === '<' ? (hex ?? '') : '', 'hex');
    const at = bytes.indexOf('{"');
    if (at >= 0 && bytes.includes('"client_ip"')) return bytes.subarray(at, bytes.lastIndexOf('}') + 1);
  }
  throw new Error(`no record in ${transcript}`);
}

export interface Deliveries {
  deliveries: { method: string; path: string; headers: Record<string, string>; body: unknown }[];
}

export const deliveries = fixture('http-log-deliveries-3.9.3.json') as Deliveries;

export interface AdminExchange {
  request: { method: string; path: string; body?: unknown };
  response: { status: number; body: unknown };
}

export const adminExchanges = (fixture('admin-api-3.9.3.json') as { exchanges: AdminExchange[] }).exchanges;
