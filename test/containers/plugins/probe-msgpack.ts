import { definePlugin } from 'kong-ts';
import { probeConfig, probeHandlers } from './probe.ts';

export default definePlugin({
  name: 'probe-msgpack',
  version: '1.0.0',
  priority: 500,
  protocol: 'msgpack',
  config: probeConfig,
  ...probeHandlers,
});
