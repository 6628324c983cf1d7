import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to those who ask for any (from 32768 on, 49152 elsewhere). */
const lowest = 10_001;
const highest = 32_000;

/**
 * A TCP port of this machine that nothing listens on. It is none of those that a connection or a server that asks for
 * port 0 is given, so that nobody gets it by chance before the test listens on it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    // An odd one: no round number that stands for something else in a text, where a test looks for its port.
    const port = lowest + 2 * Math.floor((Math.random() * (highest - lowest)) / 2);
    const server = createServer();
    const free = await new Promise<boolean>((resolve, reject) => {
      server.once('listening', () => resolve(true));
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
        else reject(error);
      });
      server.listen(port, '127.0.0.1');
    });
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
