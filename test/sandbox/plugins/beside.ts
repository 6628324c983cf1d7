import { definePlugin } from 'kong-ts';
import type { KongApi } from '../../../src/pdk/index.ts';

/**
 * A plugin of the other protocol on the same socket: it runs before the plugin that is tested, in every phase, and its
 * last call leaves together with the end of its event.
 */
export const beside = (protocol: 'protobuf' | 'msgpack') => {
  const run = async (kong: KongApi) => {
    await kong.ctx.shared.get('beside');
    void kong.ctx.shared.set('beside', protocol);
  };
  return definePlugin({
    name: `beside-${protocol}`,
    version: '1.0.0',
    priority: 600,
    protocol,
    rewrite: run as never,
    access: run as never,
    response: run as never,
    log: run as never,
  });
};
