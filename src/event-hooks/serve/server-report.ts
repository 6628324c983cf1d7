import { request } from 'node:http';

/** How long the server may take for its answer, in milliseconds, and how much it may say, in bytes. */
const limitMs = 5000;
const mostBytes = 32 * 1024 * 1024;

/** Asks the plugin server that has started this dispatcher what it does. */
export interface ServerReports {
  /** The answer as it came. @throws Error when there is none */
  read(): Promise<unknown>;
}

/** @param control path of the server's control socket; null: no server has started this dispatcher */
export const serverReports = (control: string | null): ServerReports | null =>
  control === null ? null : { read: () => ask(control) };

const ask = (control: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const call = request({ socketPath: control, path: '/plugins', agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) call.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      response.on('error', reject).on('end', () => {
        try {
          const text = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`status ${String(response.statusCode)}`));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    call.setTimeout(limitMs, () => call.destroy(new Error(`no answer within ${String(limitMs)} ms`)));
    call.on('error', reject).end();
  });
