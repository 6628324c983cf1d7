import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StartedKongContainer } from 'kong-ts/testing/containers';
import { KongContainer } from 'kong-ts/testing/containers';

let kong: StartedKongContainer;

beforeAll(async () => {
  kong = await new KongContainer({
    plugins: [{ file: `${import.meta.dirname}/hello.ts`, folder: import.meta.dirname }],
    declarativeConfig: `${import.meta.dirname}/kong.yml`,
  }).start();
}, 120_000);

afterAll(async () => {
  await kong?.stop();
});

test('greets by name', async () => {
  const answer = await fetch(`${kong.proxyUrl}/greet?name=Ada`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ message: 'Good morning, Ada!' });
});

test('asks for a name', async () => {
  const answer = await fetch(`${kong.proxyUrl}/greet`);
  expect(answer.status).toBe(400);
});

test('goes on after a crash of the plugin server', async () => {
  await kong.restartPluginServer('SIGKILL');
  const answer = await fetch(`${kong.proxyUrl}/greet?name=Ada`);
  expect(answer.status).toBe(200);
}, 60_000);
