import type { LookupFunction, Socket } from 'node:net';
import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { messageOf } from '../../base/errors.ts';
import { passingOverInformational } from '../../http/client/index.ts';
import type { TargetGuard } from './target-guard.ts';

export interface ConnectorOptions {
  guard: TargetGuard;
  /** Whether a certificate must be valid. */
  sslVerify: boolean;
  timeoutMs: number;
}

/** Connects to the addresses that the guard has checked, one after the other until one answers, and to no other. */
export function pinnedConnector(
  { guard, sslVerify, timeoutMs }: ConnectorOptions,
  onSocket: (socket: Socket) => void,
): buildConnector.connector {
  let checked: readonly string[] = [];
  // connect() asks this in the same turn. The answer is what was checked just now, never the system's resolver.
  const lookup: LookupFunction = (_hostname, { all }, callback) => {
    const found = checked.map((address) => ({ address, family: isIP(address) }));
    if (all === true) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family ?? 0);
  };
  const connect = passingOverInformational(
    buildConnector({
      timeout: timeoutMs,
      allowH2: false,
      rejectUnauthorized: sslVerify,
      lookup,
      autoSelectFamily: true,
      // An address that says nothing leaves time for the others.
      autoSelectFamilyAttemptTimeout: Math.min(2000, Math.max(250, Math.floor(timeoutMs / 8))),
    }),
  );
  return (options, callback) => {
    const timer = setTimeout(() => {
      settle(new Error(`the name did not resolve within ${String(timeoutMs)} ms`), null);
    }, timeoutMs);
    let settled = false;
    const settle = (error: Error | null, addresses: readonly [string, ...string[]] | null): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (addresses === null) {
        callback(error ?? new Error('no address'), null);
        return;
      }
      const { servername, ...rest } = options;
      const https = options.protocol === 'https:';
      const name = servername ?? bareName(options.hostname);
      // An address in the URL is connected to without a lookup.
      const literal = isIP(bareAddress(options.hostname)) !== 0;
      checked = addresses;
      connect(
        {
          ...rest,
          hostname: literal ? addresses[0] : options.hostname,
          ...(https && name !== '' ? { servername: name } : {}),
        },
        (...made) => {
          if (made[0] === null) onSocket(made[1]);
          callback(...made);
        },
      );
    };
    guard.addresses(options.hostname).then(
      (addresses) => {
        settle(null, addresses);
      },
      (error: unknown) => {
        settle(error instanceof Error ? error : new Error(messageOf(error)), null);
      },
    );
  };
}

const bareAddress = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');
const bareName = (hostname: string): string => (/^[\d.]+$|^\[/.test(hostname) ? '' : hostname);
