import type { CompiledPlugin, Kong, Phase, Protocol } from '../../../src/index.ts';
import { definePlugin } from '../../../src/index.ts';

/** A plugin with one handler, named after it. */
export function withAccess(
  access: (kong: Kong<'access', 'msgpack'>, config: Record<string, never>) => unknown,
): CompiledPlugin {
  return definePlugin({ name: 'access-only', version: '1.0.0', protocol: 'msgpack', access });
}

/** What a test's handler of any phase needs: everything, since the test chooses the phase. */
export function withPhase(
  phase: Phase,
  handler: (kong: never) => unknown,
  protocol: Protocol = 'protobuf',
): CompiledPlugin {
  return definePlugin({ name: 'one-phase', version: '1.0.0', protocol, [phase]: handler });
}

export const protocols: readonly Protocol[] = ['protobuf', 'msgpack'];
