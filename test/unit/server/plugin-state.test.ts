import { describe, expect, it } from 'vitest';
import { PluginState } from '../../../src/server/supervisor/plugin-state.ts';
import type { PluginSummary } from '../../../src/server/ipc/messages.ts';
import type { Protocol } from '../../../src/pdk/names/phases.ts';

const plugin = (name: string, protocol: Protocol): PluginSummary => ({
  name,
  version: '1.0.0',
  priority: 1,
  protocol,
  phases: ['access'],
  fingerprint: name,
});

const stateOf = (...plugins: PluginSummary[]): PluginState => {
  const state = new PluginState();
  state.update({ plugins, failures: [], usesEventHooks: false });
  return state;
};

describe('what a socket is used for', () => {
  const both = stateOf(plugin('quick', 'protobuf'), plugin('old', 'msgpack'), plugin('older', 'msgpack'));

  it('is both protocols where nothing is said', () => {
    expect(both.only('msgpack', null)).toBe(false);
    expect(both.only('protobuf', null)).toBe(false);
  });

  it('is the protocol of the plugin that is named', () => {
    expect(both.only('msgpack', 'old')).toBe(true);
    expect(both.only('protobuf', 'quick')).toBe(true);
    expect(both.only('msgpack', 'quick')).toBe(false);
  });

  it('is all plugins of the protocol that is named', () => {
    expect(both.only('msgpack', 'msgpack')).toBe(true);
    expect(both.only('protobuf', 'protobuf')).toBe(true);
    expect(both.only('protobuf', 'msgpack')).toBe(false);
  });

  it('is not known before a plugin has loaded', () => {
    expect(new PluginState().only('msgpack', 'msgpack')).toBe(false);
  });
});
