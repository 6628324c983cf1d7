import { definePlugin } from 'kong-ts';

/** What a test wants done in each phase; the plugin runs in the test's own process. */
export type Handler = (kong: never) => unknown;

const key = Symbol.for('kong-ts.test.behaviour');
const shared = globalThis as { [key]?: Partial<Record<string, Handler>> };

/** The handlers by phase, of whichever copy of this module. */
export const behaviour: Partial<Record<string, Handler>> = (shared[key] ??= {});

const run = (phase: string) => async (kong: unknown) => behaviour[phase]?.(kong as never);

/** A plugin whose handlers are the test's, in every phase. */
export const plugin = (
  name: string,
  protocol: 'protobuf' | 'msgpack',
  onError: 'fail' | 'continue' = 'fail',
  phaseTimeout = 20_000,
) =>
  definePlugin({
    name,
    version: '1.0.0',
    priority: 500,
    protocol,
    onError,
    phaseTimeout,
    certificate: run('certificate'),
    rewrite: run('rewrite'),
    access: run('access'),
    response: run('response'),
    preread: run('preread'),
    log: run('log'),
  });
