import { message, ok } from './answers.ts';
import type { Answer, Endpoint } from './types.ts';

/** Entities that Kong has and the sandbox does not run: their lists are there, and empty. */
const withoutEntities = ['/ca_certificates', '/vaults', '/keys', '/key-sets'];

const controlPlaneOnly = message(
  400,
  'this endpoint is only available when Kong is configured to run as Control Plane for the cluster',
);
const logLevelNeedsDatabase = message(405, 'cannot change log level when not using a database');

/** Parts of Kong's Admin API for things that only Kong has: other entities, timers, log level, clusters. */
export function elsewhereEndpoints(): Endpoint[] {
  return [
    ...withoutEntities.map((path) => ({ path, methods: { GET: () => ok({ data: [], next: null }) } })),
    { path: '/timers', methods: { GET: timers } },
    { path: '/debug/node/log-level', methods: { GET: () => ok({ message: 'log level: notice' }) } },
    { path: '/debug/node/log-level/:log_level', methods: { PUT: () => logLevelNeedsDatabase } },
    { path: '/clustering/data-planes', methods: { GET: () => controlPlaneOnly } },
    { path: '/clustering/status', methods: { GET: () => controlPlaneOnly } },
  ];
}

function timers(): Answer {
  const sys = { total: 0, runs: 0, running: 0, pending: 0, waiting: 0 };
  return ok({
    worker: { id: 0, count: 1 },
    stats: { sys, timers: {}, flamegraph: { running: '', pending: '', elapsed_time: '' } },
  });
}
