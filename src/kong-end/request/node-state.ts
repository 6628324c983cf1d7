import { hostname } from 'node:os';
import type { ConfigSnapshot } from '../entities/types.ts';
import type { SandboxLog } from './log.ts';

/** Which Kong the sandbox behaves like. */
export const kongVersion = '3.9.3';
export const serverHeader = `kong/${kongVersion}`;

/** Counters as nginx's stub status has them. */
export interface Statistics {
  connections_active: number;
  connections_reading: number;
  connections_writing: number;
  connections_waiting: number;
  connections_accepted: number;
  connections_handled: number;
  total_requests: number;
}

/** The state of the node, not of one request. */
export interface NodeState {
  readonly id: string;
  readonly hostname: string;
  /** Working directory; body files go to `<prefix>/client_body_temp`. */
  readonly prefix: string;
  readonly log: SandboxLog;
  readonly statistics: Statistics;
  /** `trusted_ips`: whose X-Forwarded-* headers count. */
  isTrusted(ip: string): boolean;
  snapshot(): ConfigSnapshot;
}

export function createNodeState(
  options: Pick<NodeState, 'id' | 'prefix' | 'log' | 'isTrusted' | 'snapshot'>,
): NodeState {
  return {
    ...options,
    hostname: hostname(),
    statistics: {
      connections_active: 0,
      connections_reading: 0,
      connections_writing: 0,
      connections_waiting: 0,
      connections_accepted: 0,
      connections_handled: 0,
      total_requests: 0,
    },
  };
}
