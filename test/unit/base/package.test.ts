import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bundledPlugin, ownModule, packageRoot, packageVersion } from '../../../src/base/package.ts';

describe('the package', () => {
  it('knows its root and its version', () => {
    const { name, version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
      name: string;
      version: string;
    };
    expect(name).toBe('kong-ts');
    expect(packageVersion()).toBe(version);
  });

  it('names its own modules as this run has them', () => {
    expect(ownModule('../worker/main', 'file:///a/supervisor/process.ts').href).toBe(
      'file:///a/worker/main.ts',
    );
  });

  it('finds the plugins that come with it and no other file', () => {
    expect(bundledPlugin('http-log-enterprise')?.href).toMatch(/plugins\/http-log-enterprise\/index\.ts$/);
    expect(bundledPlugin('no-such-plugin')).toBeNull();
    expect(bundledPlugin('../src')).toBeNull();
  });
});
