import { describe, expect, it } from 'vitest';
import { parseHostPort } from '../../../src/base/host-port.ts';

describe('a host and a port', () => {
  it.each([
    ['127.0.0.1:9100', '127.0.0.1', 9100],
    ['kong.test:0', 'kong.test', 0],
    ['[::1]:65535', '::1', 65_535],
    ['[::ffff:127.0.0.1]:80', '::ffff:127.0.0.1', 80],
    [':9100', null, 9100],
    ['9100', null, 9100],
  ])('are read from %s', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
  });

  it.each([
    '',
    'kong.test',
    'kong.test:',
    '::1:80',
    '[::1]',
    '[kong]:80',
    'a b:80',
    'a:65536',
    'a:-1',
    'a:80\n',
  ])('are not in %j', (text) => {
    expect(parseHostPort(text)).toBeNull();
  });
});
