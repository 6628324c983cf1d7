import { expect } from 'vitest';
import type { TestGateway } from './gateway.ts';

/** The parts of kong.log.serialize that tests of answers look at. */
export interface LogRecord {
  tries: { ip?: string; port?: number; state?: string; code?: number; balancer_latency?: number }[];
  response: { status: number; size: number; headers: Record<string, string | string[]> };
  request: { size: number; headers: Record<string, string | string[]>; querystring: Record<string, unknown> };
  upstream_status: string | number;
  source: string;
}

/** Waits for the n-th record that the scripted plugin asked for. */
export async function logRecord(gateway: TestGateway, count = 1): Promise<LogRecord> {
  const records = (): unknown[] =>
    gateway.server.calls.filter((call) => call.method === 'kong.log.serialize');
  await expect.poll(() => records().length).toBeGreaterThanOrEqual(count);
  return JSON.parse((records()[count - 1] as { value: string }).value) as LogRecord;
}
