import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { DumpDocument } from '../../plugin/index.ts';
import { configFields, sampleConfig } from './sample-config.ts';

/**
 * Writes a first configuration: an upstream that echoes, a route for everything, and every plugin on it.
 *
 * @returns whether the file was made; one that is there stays as it is
 * @throws KongTsError FILE_UNREADABLE
 */
export function makeKongYml(file: string, documents: readonly DumpDocument[], upstream: string): boolean {
  if (existsSync(file)) return false;
  try {
    writeFileSync(file, kongYml(documents, upstream), { flag: 'wx' });
    // A file of the project, which a Kong in a container reads as another user.
    chmodSync(file, 0o644);
    return true;
  } catch (cause) {
    throw new KongTsError('FILE_UNREADABLE', `${file} cannot be written: ${messageOf(cause)}.`, {
      cause,
      fix: 'Name another file with --config FILE.',
    });
  }
}

export function kongYml(documents: readonly DumpDocument[], upstream: string): string {
  const plugins = documents
    .flatMap(({ Plugins }) => Plugins)
    .map(({ Name, Schema }) => {
      const config = sampleConfig(configFields(Schema));
      return Object.keys(config).length === 0 ? { name: Name } : { name: Name, config };
    });
  // Kong reads YAML 1.1, where `on` is a boolean.
  const document = {
    _format_version: '3.0',
    services: [{ name: 'echo', url: upstream, routes: [{ name: 'everything', paths: ['/'] }], plugins }],
  };
  return `${head}${stringify(document, { version: '1.1' })}`;
}

const head = `# Kong's declarative configuration: kong-ts dev reads it, and so does a Kong without a database.
# At the service's address, kong-ts dev answers with what it has been sent.
# What a plugin's schema requires and has no default for stands here with a value that is made up: change it.
`;
