import { request } from 'node:http';

/** What a plugin server of kong-ts says of itself on its control socket (`kong-ts status`), as far as doctor needs it. */
export interface ServerHealth {
  readonly ready: boolean;
  readonly plugins: readonly { readonly name: string; readonly fingerprint: string | null }[];
  /** Plugins that do not load. */
  readonly failures: readonly { readonly spec: string; readonly message: string }[];
}

/** The most that the server may say, in bytes. */
const mostBytes = 4 * 1024 * 1024;

/** @throws Error when no whole answer comes. The message says why. Its name is TimeoutError when the time is over. */
export async function askHealth(control: string, timeoutMs: number): Promise<ServerHealth> {
  const signal = AbortSignal.timeout(timeoutMs);
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath: control, path: '/status', signal }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > mostBytes) response.destroy(new Error('it says too much'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    call.on('error', (failure) => reject(signal.aborted ? (signal.reason as Error) : failure));
    call.end();
  });
  return read(JSON.parse(text));
}

const listOf = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value)
    ? (value as unknown[]).filter(
        (one): one is Record<string, unknown> => typeof one === 'object' && one !== null,
      )
    : [];
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function read(status: unknown): ServerHealth {
  const { state, plugins, failures, workers } = (status ?? {}) as Record<string, unknown>;
  return {
    ready: state === 'running' && listOf(workers).some((worker) => worker.state === 'ready'),
    plugins: listOf(plugins).map(({ name, fingerprint }) => ({
      name: textOf(name),
      fingerprint: typeof fingerprint === 'string' ? fingerprint : null,
    })),
    failures: listOf(failures).map(({ spec, message }) => ({ spec: textOf(spec), message: textOf(message) })),
  };
}
