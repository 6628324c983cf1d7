import { describe, expect, it } from 'vitest';
import { KongTsError } from '../../../src/base/errors.ts';
import { createKong, ExitSignal, phases, rowByName } from '../../../src/pdk/index.ts';
import type { FunctionRow, Phase, Protocol } from '../../../src/pdk/index.ts';
import { callByPath, FakeChannel } from '../../unit/pdk/fake-channel.ts';
import { matrix, measured, outcomeOf, recordedReply } from '../../unit/pdk/matrix.ts';

const protocols: readonly Protocol[] = ['protobuf', 'msgpack'];

/** Functions of the matrix that the catalogue leaves out, each with its reason. */
const leftOut: Readonly<Record<string, string>> = {
  'kong.log.inspect': 'Lua only: it writes a Lua value for a human, log.debug(object) writes JSON',
  'kong.tracing.active_span': 'Lua only: a span is an object with methods',
  'kong.table.new': 'Lua only: tables',
  'kong.version': 'a value, not a function',
  'kong.configuration.prefix': 'a value, not a function',
};

/** Where the catalogue says more than the matrix, each with its reason. */
const moreThanMatrix: Readonly<Record<string, { phases: readonly Phase[]; reason: string }>> = {
  'kong.response.exit': {
    phases: ['preread'],
    reason: 'preread takes 200, 400, 403, 500, 502 and 503; the matrix called it with 418',
  },
};

/** Functions that our call is refused for although Kong answers, each with its reason. */
const refusedHere: Readonly<Record<string, string>> = {
  'kong.request.get_uri_captures':
    'with router_flavor = traditional it raises over ProtoBuf:1 where a group took no part, and in log that leaves the request behind',
};

async function run(row: FunctionRow, protocol: Protocol, phase: Phase) {
  const channel = new FakeChannel(protocol, phase, recordedReply);
  const outcome = await callByPath(createKong(channel), row.path, matrix.get(row.name)?.args ?? []).then(
    () => 'ok' as const,
    (error: unknown) => (error instanceof ExitSignal ? ('exits' as const) : error),
  );
  return { channel, outcome };
}

describe('the catalogue holds the matrix of Kong 3.9.3', () => {
  it('has every function but the Lua-only ones', () => {
    const missing = [...matrix.keys()].filter((name) => rowByName(name) === null);
    expect(missing.sort()).toEqual(Object.keys(leftOut).sort());
    expect(measured.filter((row) => !matrix.has(row.name))).toEqual([]);
    expect(new Set(measured.map((row) => row.name)).size).toBe(measured.length);
  });

  it('has the 74 functions of the ProtoBuf:1 service, and no others, as protobuf rows', () => {
    expect(measured.filter((row) => row.protobuf !== null)).toHaveLength(74);
    for (const row of measured) {
      expect(row.protobuf === null, row.name).toBe(matrix.get(row.name)?.protobuf === 'absent');
    }
  });

  it.each(protocols)('has exactly the phases in which Kong accepts the call over %s', (protocol) => {
    for (const row of measured) {
      const accepted = phases.filter((phase) =>
        ['ok', 'exits'].includes(outcomeOf(row.name, protocol, phase)),
      );
      const more = moreThanMatrix[row.name]?.phases ?? [];
      expect(
        row.phases[protocol].filter((phase) => !more.includes(phase)),
        row.name,
      ).toEqual(accepted);
    }
  });
});

describe.each(protocols)('every function in every phase over %s', (protocol) => {
  it.each(phases)('is refused before anything is sent, or Kong accepts it: %s', async (phase) => {
    for (const row of measured) {
      const { channel, outcome } = await run(row, protocol, phase);
      const label = `${row.name} in ${phase} over ${protocol}`;
      const recorded = outcomeOf(row.name, protocol, phase);
      if (outcome instanceof Error) {
        expect(outcome, label).toBeInstanceOf(KongTsError);
        expect(channel.sent, label).toEqual([]);
        if (recorded !== 'rejected' && recorded !== 'absent')
          expect(refusedHere, label).toHaveProperty([row.name]);
        continue;
      }
      expect(channel.sent.length, label).toBeGreaterThan(0);
      for (const { name } of channel.sent) {
        expect(['ok', 'exits'], `${label}: ${name}`).toContain(outcomeOf(name, protocol, phase));
      }
      if (recorded === 'ok' || recorded === 'exits') expect(outcome, label).toBe(recorded);
      else if (phase !== 'log' || row.inLog == null) expect(row.travel[protocol], label).toBe('composed');
    }
  });
});

describe('a refusal', () => {
  it('names function, phase and the way out', async () => {
    const { outcome } = await run(rowByName('kong.client.get_forwarded_ip') as FunctionRow, 'msgpack', 'log');
    expect(outcome).toMatchObject({ code: 'PDK_NOT_IN_PHASE' });
    expect(String(outcome)).toContain('kong.client.getForwardedIp() cannot be called in the log phase');
    expect(String(outcome)).toContain('kong.log.serialize() has it as client_ip');
  });

  it('names the protocol that is needed', async () => {
    const { outcome } = await run(rowByName('kong.vault.get') as FunctionRow, 'protobuf', 'access');
    expect(outcome).toMatchObject({ code: 'PDK_NOT_IN_PROTOCOL' });
    expect(String(outcome)).toContain('protocol: "msgpack"');
  });
});
