import type * as testcontainers from 'testcontainers';
import { KongTsError, messageOf } from '../../base/errors.ts';

type Testcontainers = typeof testcontainers;

/**
 * testcontainers is an optional peer. Users of this entry point install it. @throws KongTsError CONTAINERS_UNAVAILABLE
 */
export async function loadTestcontainers(): Promise<Testcontainers> {
  try {
    return await import('testcontainers');
  } catch (error) {
    throw new KongTsError('CONTAINERS_UNAVAILABLE', 'The package testcontainers is not installed.', {
      cause: error,
      fix: 'Run npm install --save-dev testcontainers.',
    });
  }
}

/** The engine's client. @throws KongTsError CONTAINERS_UNAVAILABLE */
export async function engine(): Promise<Awaited<ReturnType<Testcontainers['getContainerRuntimeClient']>>> {
  const { getContainerRuntimeClient } = await loadTestcontainers();
  try {
    return await getContainerRuntimeClient();
  } catch (error) {
    throw new KongTsError('CONTAINERS_UNAVAILABLE', `No container engine answers: ${messageOf(error)}.`, {
      cause: error,
      fix: 'Start Docker or Podman, or set DOCKER_HOST to where it listens.',
    });
  }
}

/** Whether the engine has the image. */
export async function hasImage(image: string): Promise<boolean> {
  const { ImageName } = await loadTestcontainers();
  return (await engine()).image.exists(ImageName.fromString(image));
}

/** Labels of an image that the engine has. */
export async function labelsOf(image: string): Promise<Readonly<Record<string, string>>> {
  const { ImageName } = await loadTestcontainers();
  const found = await (await engine()).image.inspect(ImageName.fromString(image));
  // An image without labels has null here, whatever its type says.
  const labels = found.Config.Labels as Record<string, string> | null | undefined;
  return labels ?? {};
}

/** Makes sure that the engine has the image. @throws KongTsError CONTAINERS_UNAVAILABLE, CONTAINER_FAILED */
export async function requireImage(image: string, pull: 'missing' | 'never'): Promise<void> {
  if (await hasImage(image)) return;
  if (pull === 'never')
    throw new KongTsError('CONTAINER_FAILED', `The engine has no image "${image}", and pull is "never".`, {
      fix: `Run docker pull ${image}, build it, or name another one with the option image or KONG_IMAGE.`,
    });
  const { ImageName } = await loadTestcontainers();
  try {
    await (await engine()).image.pull(ImageName.fromString(image));
  } catch (error) {
    throw new KongTsError('CONTAINER_FAILED', `The image "${image}" cannot be pulled: ${messageOf(error)}.`, {
      cause: error,
      fix: 'Check its name and the network, or name an image that is there with the option image or KONG_IMAGE.',
    });
  }
}
