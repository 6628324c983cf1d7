import { expect, it } from 'vitest';
import { secretsNeeded } from '../../../src/base/secrets.ts';

const needed = (options: string) => secretsNeeded(options.split(' ')).map(({ variable }) => variable);

it.each([
  ['--event-hooks-store postgres://u@h/d', ['KONG_TS_HOOKS_STORE_PASSWORD']],
  ['--event-hooks-store=postgresql://u@h/d', ['KONG_TS_HOOKS_STORE_PASSWORD']],
  ['--event-hooks-store sqlite:/data', []],
  ['--event-hooks-store postgres://u@h/d --event-hooks-store-password-file /s', []],
  ['--event-hooks-admin 127.0.0.1:8011', ['KONG_TS_ADMIN_TOKEN']],
  ['--event-hooks-admin=127.0.0.1:8011 --token-file=/t', []],
  ['--workers 2', []],
])('the secrets that a server needs whose command has %s', (options, variables) => {
  expect(needed(options)).toEqual(variables);
});
