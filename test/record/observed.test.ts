import { expect, it } from 'vitest';
import { recordOf } from '../../scripts/differential/observe.ts';
import { readyPath } from '../../scripts/gateways/configure.ts';

const logged = (uri: string) => ({
  phase: 'log',
  method: 'kong.log.serialize',
  ok: { v: JSON.stringify({ request: { uri } }) },
});

it("an exchange's record is not that of the request that asked for its configuration, whose log may come late", () => {
  expect(recordOf([logged(`${readyPath}1-2`)])).toBeNull();
  expect(recordOf([logged(`${readyPath}1-2`), logged('/?apikey=alicekey')])).toEqual({
    request: { uri: '/?apikey=alicekey' },
  });
});

it('a call that failed, or another one, is not a record', () => {
  const other = { phase: 'log', method: 'kong.request.get_query', ok: { v: {} } };
  const failed = { phase: 'log', method: 'kong.log.serialize', err: 'closed' };
  expect(recordOf([other, failed, { phase: 'log', done: true }])).toBeNull();
});
