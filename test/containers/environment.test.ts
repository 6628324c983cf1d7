import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { placements, plugin, startKong } from './support/kong.ts';

/** A server that Kong starts has nginx's environment: what a plugin reads gets there because the plugin says so. */
describe.each(placements)('environment, plugin server %s', (pluginServer) => {
  let kong: StartedKongContainer;

  beforeAll(async () => {
    kong = await startKong({
      pluginServer,
      plugins: [plugin('variables')],
      environment: { CONTAINER_SECRET: 'with = and; signs', CONTAINER_OTHER: 'x' },
      declarativeConfig: {
        _format_version: '3.0',
        services: [
          {
            name: 's',
            url: 'http://127.0.0.1:8001/status',
            routes: [{ name: 'r', paths: ['/r'] }],
            plugins: [{ name: 'variables' }],
          },
        ],
      },
    });
  });

  afterAll(async () => {
    await kong?.stop();
  });

  test('a plugin gets the variables that it names, and no others', async () => {
    const { headers } = await fetch(`${kong.proxyUrl}/r`);
    expect(headers.get('x-container-secret')).toBe('with = and; signs');
    expect(headers.get('x-container-other')).toBe('none');
  });
});
