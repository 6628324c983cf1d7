import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.doUnmock('testcontainers');
  vi.resetModules();
});

const start = async (): Promise<unknown> => {
  const { KongContainer } = await import('../../../../src/testing/containers/index.ts');
  return new KongContainer({ image: 'kong:3.9', pull: 'never' }).start();
};

test('without testcontainers the error says what to install', async () => {
  vi.doMock('testcontainers', () => {
    throw new Error("Cannot find package 'testcontainers'");
  });
  await expect(start()).rejects.toMatchObject({
    code: 'CONTAINERS_UNAVAILABLE',
    message: 'The package testcontainers is not installed. Run npm install --save-dev testcontainers.',
  });
});

test('without an engine it says what to start', async () => {
  vi.doMock('testcontainers', () => ({
    ImageName: { fromString: (name: string) => name },
    getContainerRuntimeClient: async () =>
      Promise.reject(new Error('Could not find a working container runtime')),
  }));
  await expect(start()).rejects.toMatchObject({
    code: 'CONTAINERS_UNAVAILABLE',
    message: expect.stringContaining('Start Docker or Podman, or set DOCKER_HOST') as string,
  });
});

test('an image that is not there is not pulled where that is not wanted', async () => {
  vi.doMock('testcontainers', () => ({
    ImageName: { fromString: (name: string) => name },
    getContainerRuntimeClient: async () => ({ image: { exists: async () => false } }),
  }));
  await expect(start()).rejects.toMatchObject({
    code: 'CONTAINER_FAILED',
    message: expect.stringContaining('docker pull kong:3.9') as string,
  });
});
