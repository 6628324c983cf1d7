import { spawnSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';
import { hasImage, labelsOf } from '../../../src/testing/containers/index.ts';
import { builtImages } from './stand-in.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The image that stands for Kong. */
    image: string;
    /** Whether it is the sandbox gateway and not Kong. */
    sandbox: boolean;
    /** Whether the engine has the sandbox image, which stands for Node's in tests that build others. */
    hasSandboxImage: boolean;
    /** Why Kong cannot be run with Postgres here, null where it can. */
    withoutPostgres: string | null;
  }
}

/** Whether there is a docker command that reaches the engine. */
const canBuild = spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0;

/** Chooses the image: `KONG_IMAGE`, else `kong:3.9` where the engine has it, else the sandbox image. */
export default async function setup(project: TestProject): Promise<() => void> {
  const before = canBuild ? builtImages() : [];
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const named = process.env['KONG_IMAGE'];
  const candidates = named === undefined || named === '' ? ['kong:3.9', 'kong-ts-sandbox:latest'] : [named];
  for (const image of candidates) {
    if (!(await hasImage(image))) continue;
    const sandbox = (await labelsOf(image))['io.kong-ts.sandbox'] === 'true';
    process.stdout.write(`Containers: ${image}${sandbox ? ', the sandbox gateway' : ''}\n`);
    // For tests that name no image, such as the example to copy.
    process.env['KONG_IMAGE'] = image;
    project.provide('image', image);
    project.provide('sandbox', sandbox);
    project.provide('hasSandboxImage', canBuild && (await hasImage('kong-ts-sandbox:latest')));
    const postgres = await hasImage('postgres:16');
    project.provide(
      'withoutPostgres',
      sandbox ? 'the sandbox has no database' : postgres ? null : 'the engine has no image postgres:16',
    );
    return () => {
      const left = canBuild ? builtImages().filter((id) => !before.includes(id)) : [];
      if (left.length > 0) spawnSync('docker', ['rmi', '-f', ...left], { stdio: 'ignore' });
    };
  }
  throw new Error(
    `The engine has no image ${candidates.join(' or ')}. Pull or build it; npm run sandbox:image builds kong-ts-sandbox without a registry.`,
  );
}
