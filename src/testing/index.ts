/**
 * Tests of plugins: `testPlugin` runs a plugin's phases in this process against a described request; `FakeKong` talks
 * to a real plugin server as Kong does. For any test runner: nothing here knows vitest or node:test.
 *
 * ```ts
 * import { testPlugin } from 'kong-ts/testing';
 * import hello from './hello.ts';
 *
 * await using t = await testPlugin(hello, { request: { query: { name: 'Ada' } } });
 * const { exit } = await t.access();
 * ```
 */
export { testPlugin } from './plugin/plugin-test.ts';
export type { MetricView, PluginTest, TestPluginOptions } from './plugin/plugin-test.ts';
export type { WantedEvents } from './plugin/event-capture.ts';
export { FakeKong } from './kong/fake-kong.ts';
export type { FakeKongOptions } from './kong/fake-kong.ts';
export type { NamedPlugin, PluginIdentity } from './kong/fake-instance.ts';
export type { FakeInstance, InstanceOptions, RequestOptions } from './kong/fake-instance.ts';
export type { KongRequest } from './kong/kong-request.ts';
export type { WireChunk } from './kong/wire-tap.ts';
export { startPluginServer } from './server-process.ts';
export type { PluginServerOptions, TestPluginServer } from './server-process.ts';
export type * from './description.ts';
export type { FunctionPath, Overrides } from './overrides.ts';
export type * from './results.ts';
