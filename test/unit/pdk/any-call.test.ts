import { expect, it } from 'vitest';
import fc from 'fast-check';
import { KongTsError } from '../../../src/base/errors.ts';
import { catalogue, createKong, ExitSignal, phases, rowByName } from '../../../src/pdk/index.ts';
import { callByPath, FakeChannel } from './fake-channel.ts';

const anyCall = fc.record({
  row: fc.constantFrom(...catalogue),
  protocol: fc.constantFrom('protobuf' as const, 'msgpack' as const),
  phase: fc.constantFrom(...phases),
  args: fc.array(fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }), {
    maxLength: 4,
  }),
});

it('whatever is called with whatever, only what Kong offers in that phase is sent, and nothing but our errors comes back', async () => {
  await fc.assert(
    fc.asyncProperty(anyCall, async ({ row, protocol, phase, args }) => {
      const channel = new FakeChannel(protocol, phase);
      const outcome: unknown = await callByPath(createKong(channel), row.path, args).catch(
        (error: unknown) => error,
      );
      if (outcome instanceof Error && !(outcome instanceof ExitSignal)) {
        expect(outcome, `${row.path} ${fc.stringify(args)}`).toBeInstanceOf(KongTsError);
      }
      for (const { name } of channel.sent) expect(rowByName(name)?.phases[protocol], name).toContain(phase);
    }),
    { numRuns: 800 },
  );
});
