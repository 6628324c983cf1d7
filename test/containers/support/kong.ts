import path from 'node:path';
import { inject } from 'vitest';
import type { KongContainerOptions, StartedKongContainer } from '../../../src/testing/containers/index.ts';
import { hostName, KongContainer } from '../../../src/testing/containers/index.ts';
import { watch } from './watched.ts';

export const image = inject('image');
export const sandbox = inject('sandbox');

/** A plugin of test/containers/plugins, with that folder alone in the container. */
export const plugin = (name: string): { file: string; folder: string } => {
  const folder = path.join(import.meta.dirname, '../plugins');
  return { file: path.join(folder, `${name}.ts`), folder };
};

/** Starts Kong from the image under test. */
export async function startKong(options: KongContainerOptions): Promise<StartedKongContainer> {
  return watch(await new KongContainer({ image, pull: 'never', ...options }).start());
}

/** How a plugin server reaches a port of this machine. */
export const fromPluginServer = (placement: (typeof placements)[number], port: number): string =>
  `http://${placement === 'host' ? '127.0.0.1' : hostName}:${String(port)}`;

/** Where both placements of the plugin server have to do the same. */
export const placements = ['inside', 'host'] as const;
