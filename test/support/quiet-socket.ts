import type { Socket } from 'node:net';

/** Between two looks, in milliseconds. */
const pause = 20;

/**
 * Runs something once nothing has come on a socket for a while, in milliseconds. Looks are counted, not the clock: what came
 * while the machine let this process stand still is read before the next look.
 */
export function whenQuiet(socket: Socket, ms: number, run: () => void): void {
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    if (looks * pause < ms) return;
    clearInterval(timer);
    run();
  }, pause);
  socket.on('data', () => (looks = 0)).once('close', () => clearInterval(timer));
}
