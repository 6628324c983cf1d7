import { expect, it } from 'vitest';
import { OpenListeners } from '../../../src/server/admin/open-listeners.ts';

function listener(address: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const state = { closed: 0 };
  const listen = async () => {
    await promise;
    return {
      address,
      close: async () => {
        state.closed += 1;
      },
    };
  };
  return { listen, opens: resolve, fails: reject, state };
}

it('a listener that opens while the server ends is closed before the end', async () => {
  const listeners = new OpenListeners();
  const one = listener('one');
  const late = listener('late');
  one.opens();
  await listeners.open(one.listen);
  const opening = listeners.open(late.listen);
  let ended = false;
  const ending = listeners.close().then(() => (ended = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
  late.opens();
  await ending;
  expect([one.state.closed, late.state.closed]).toEqual([1, 1]);
  await opening;
  expect(listeners.addresses).toEqual(['one']);
});

it('nothing opens after the end, and what fails to open is thrown to whoever opens it', async () => {
  const listeners = new OpenListeners();
  const failing = listener('failing');
  const opening = listeners.open(failing.listen);
  const ending = listeners.close();
  failing.fails(new Error('in use'));
  await expect(opening).rejects.toThrow('in use');
  await ending;
  let asked = false;
  await listeners.open(() => {
    asked = true;
    return Promise.reject(new Error('asked'));
  });
  expect(asked).toBe(false);
});
