import { describe, expect, it } from 'vitest';
import { startSandbox } from '../../src/sandbox/index.ts';
import { kongTsError } from '../support/errors.ts';

const start = (field: object, plugins?: string[]): ReturnType<typeof startSandbox> =>
  startSandbox({
    proxyListen: 'off',
    adminListen: 'off',
    log: () => undefined,
    ...(plugins === undefined ? {} : { plugins }),
    pluginServers: [
      {
        name: 'odd',
        socket: '/nowhere.socket',
        dump: {
          Protocol: 'ProtoBuf:1',
          Plugins: [
            {
              Name: 'odd',
              Version: '1.0.0',
              Priority: 1,
              Phases: ['access'],
              Schema: {
                name: 'odd',
                fields: [{ config: { type: 'record', fields: [{ limit: field }] } }],
              },
            },
          ],
        },
      },
    ],
  });

describe('a plugin whose schema Kong refuses', () => {
  it('keeps the whole gateway from starting', async () => {
    await expect(start({ type: 'integer', between: [10, 20], default: 5 })).rejects.toThrow(
      kongTsError('PLUGIN_INVALID', /"odd": config\.limit: default 5: value should be between 10 and 20/),
    );
  });

  it('disturbs nobody where it is not enabled', async () => {
    const sandbox = await start({ type: 'integer', default: 'x' }, ['bundled']);
    await sandbox.close();
  });
});
