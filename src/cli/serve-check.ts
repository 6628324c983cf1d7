import { KongTsError } from '../base/errors.ts';
import { loadPlugin } from '../plugin/index.ts';
import type { CompiledServerOptions } from '../server/index.ts';
import { checkSecrets, createCallbackLog } from '../server/index.ts';
import { endLoading, startLoading } from './load-guard.ts';

/**
 * `kong-ts serve --check`: loads each plugin as a worker would and prints a line about it. It does not listen and takes
 * nothing over, and so it may run beside a server of the same socket.
 * @throws KongTsError of the first plugin that does not load; PLUGIN_INVALID where two have one name; what `checkSecrets`
 * throws, as the server would
 */
export async function checkPlugins(options: CompiledServerOptions): Promise<void> {
  const { plugins, sockets } = options;
  checkSecrets(
    options,
    process.env,
    createCallbackLog('warn', (_, __, message) => void process.stderr.write(`Warning: ${message}.\n`)),
  );
  const names = new Set<string>();
  for (const spec of plugins) {
    startLoading(spec);
    const { name, version, protocol } = await loadPlugin(spec).finally(endLoading);
    if (names.has(name)) {
      throw new KongTsError('PLUGIN_INVALID', `Two plugins have the name "${name}".`, {
        fix: 'Name each plugin once.',
      });
    }
    names.add(name);
    process.stdout.write(`${name} ${version} loads (${protocol}).\n`);
  }
  process.stdout.write(`It would serve on ${sockets.map((socket) => socket.path).join(', ')}.\n`);
}
