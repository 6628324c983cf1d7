import { describe, expect, test } from 'vitest';
import { parseDump, runQueryCommand } from '../../../../src/kong-end/plugin-server/dump.ts';

const plugin = {
  Name: 'p',
  Version: '2',
  Priority: 7,
  Phases: ['access'],
  Schema: { name: 'p', fields: [] },
};

describe('a dump', () => {
  test('names its protocol; a bare list is MsgPack:1', () => {
    expect(
      parseDump('s', JSON.stringify({ Protocol: 'ProtoBuf:1', Plugins: [plugin] })).plugin,
    ).toMatchObject({
      name: 'p',
      protocol: 'protobuf',
      priority: 7,
    });
    expect(parseDump('s', JSON.stringify([plugin])).plugin.protocol).toBe('msgpack');
  });

  test('gives the numbers of the version, as Kong keeps them', () => {
    expect(parseDump('s', JSON.stringify([{ ...plugin, Version: 'v1.2.3-beta' }])).plugin.version).toBe(
      '1.2.3',
    );
  });

  test('of several plugins gives the first', () => {
    expect(parseDump('s', JSON.stringify([plugin, { ...plugin, Name: 'q' }])).ignored).toBe(1);
  });

  test.each([
    ['hello\n{}', 'is not JSON'],
    ['{"Protocol":"Http:9","Plugins":[]}', 'names the protocol'],
    ['{"Plugins":[]}', 'lists no plugin'],
    ['[{}]', 'without Name'],
    ['[{"Name":"p"}]', 'no Phases'],
    ['[{"Name":"p","Phases":[]}]', 'no Schema'],
    ['null', 'lists no plugin'],
    [JSON.stringify([{ ...plugin, Priority: undefined }]), 'no Priority for p'],
    [JSON.stringify([{ ...plugin, Priority: 1.5 }]), 'no Priority for p'],
    [JSON.stringify([{ ...plugin, Version: undefined }]), 'no Version "x.y.z" for p'],
    [JSON.stringify([{ ...plugin, Version: 'new' }]), 'no Version "x.y.z" for p'],
    [JSON.stringify([{ ...plugin, Version: '1.2.3.4' }]), 'no Version "x.y.z" for p'],
  ])('%s is refused', (text, reason) => {
    expect(() => parseDump('s', text)).toThrow(reason);
  });

  test('comes from a command, whose failure is told', async () => {
    expect(await runQueryCommand('s', 'echo hi')).toBe('hi\n');
    await expect(runQueryCommand('s', 'sh -c "echo broken >&2; exit 3"')).rejects.toMatchObject({
      code: 'PLUGIN_SERVER_UNREACHABLE',
      message: expect.stringContaining('broken') as string,
    });
  });
});
