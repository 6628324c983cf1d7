import inspector from 'node:inspector';
import { createServer } from 'node:net';
import type { HostPort } from '../options.ts';
import type { ServerLog } from '../log/types.ts';

export interface OpenInspector {
  /** Lets the debugger go, so that the next worker can have the port. */
  close(): void;
}

/** How long to wait between two looks at the port, in milliseconds. */
const lookMs = 50;

/**
 * Lets a debugger find this worker. After a reload the old worker still has the port: the new one waits for it. A debugger that
 * attaches again by itself (`"restart": true` in VS Code) goes on with the new code.
 */
export function openInspector({ host, port }: HostPort, log: ServerLog): OpenInspector {
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  const attempt = async (): Promise<void> => {
    // Node writes to standard error when it cannot have the port, and says nothing to its caller.
    const free = await isFree(host, port);
    if (closed) return;
    if (free) inspector.open(port, host);
    const url = inspector.url();
    if (url === undefined) timer = setTimeout(() => void attempt(), lookMs).unref();
    else log.notice('a debugger can attach', { address: `${host}:${String(port)}`, url });
  };
  void attempt();
  return {
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      if (inspector.url() !== undefined) inspector.close();
    },
  };
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
