import { request } from 'node:http';
import { KongTsError, messageOf } from '../../base/errors.ts';

/**
 * Asks a running server over its control socket.
 * @throws KongTsError SOCKET_UNUSABLE when no server answers there
 */
export async function askServer(control: string, method: 'GET' | 'POST', path: string): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath: control, method, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve(Buffer.concat(chunks).toString());
      });
    });
    call.on('error', reject);
    call.end();
  }).catch((error: unknown) => {
    throw new KongTsError(
      'SOCKET_UNUSABLE',
      `No server answers on the control socket ${control}: ${messageOf(error)}.`,
      { cause: error, fix: 'Give the --socket (or --control) that the server was started with.' },
    );
  });
  return JSON.parse(text) as unknown;
}
