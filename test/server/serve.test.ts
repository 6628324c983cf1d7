import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KongClient } from './support/kong-client.ts';
import { Workbench } from './support/server-process.ts';

let bench: Workbench;
let kong: KongClient;

beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(async () => {
  kong.close();
  await bench.clean();
});

describe.each([
  ['--workers', '0'],
  ['--workers', '2'],
])('kong-ts serve %s %s', (...workers) => {
  it('serves events from the moment it listens, and ends without a trace', async () => {
    const server = await bench.serve(['steady'], ...workers).listening();
    kong = new KongClient(server.socket);
    // The plugin is still loading: the call waits.
    const { calls } = await kong.event('steady', {}, 'access');
    expect(calls).toEqual(['kong.request.get_method', 'kong.response.set_header']);
    const all = await Promise.all(Array.from({ length: 8 }, () => kong.event('steady', {}, 'access')));
    expect(all).toHaveLength(8);
    await server.ready();
    const pids = await server.workerPids();
    server.kill('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(pids).toHaveLength(workers[1] === '0' ? 1 : 2);
  });
});
