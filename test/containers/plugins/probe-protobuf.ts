import { definePlugin } from 'kong-ts';
import { probeConfig, probeHandlers } from './probe.ts';

export default definePlugin({
  name: 'probe-protobuf',
  version: '1.0.0',
  priority: 500,
  protocol: 'protobuf',
  config: probeConfig,
  ...probeHandlers,
});
