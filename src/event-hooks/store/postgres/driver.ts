import { KongTsError } from '../../../base/errors.ts';

/** What is used of the package `pg`. It is named here, because it is an optional peer. */
export interface Result {
  readonly rows: readonly Record<string, unknown>[];
}
export interface PgClient {
  connect(): Promise<unknown>;
  query(text: string, values?: readonly unknown[]): Promise<Result>;
  on(event: 'notification', listener: (message: { readonly payload?: string }) => void): unknown;
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  end(): Promise<void>;
}
export interface PgPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  query(text: string, values?: readonly unknown[]): Promise<Result>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  end(): Promise<void>;
}
export interface PgDriver {
  readonly Pool: new (options: object) => PgPool;
  readonly Client: new (options: object) => PgClient;
}

/** @throws KongTsError USAGE where the package is missing */
export async function loadDriver(): Promise<PgDriver> {
  try {
    const { default: driver } = (await import('pg')) as unknown as { default: PgDriver };
    return driver;
  } catch (cause) {
    throw new KongTsError('USAGE', 'A store in PostgreSQL needs the package pg, which is not installed.', {
      cause,
      fix: 'Install it beside kong-ts: npm install pg.',
    });
  }
}

const wholeNumber = 20;

/** Whole numbers as numbers: all of ours are below 2^53. Everything else as the text that it is, or as JSON. */
export const types = {
  getTypeParser: (type: number): ((text: string) => unknown) => {
    if ([wholeNumber, 21, 23, 700, 701].includes(type)) return Number;
    if (type === 16) return (text) => text === 't';
    return [114, 3802].includes(type) ? (text) => JSON.parse(text) as unknown : (text) => text;
  },
};
