import type { Socket } from 'node:net';

/** An error that is thrown while a socket's events are handled ends what uses the socket, not the process. */
export function containThrows(socket: Socket, onThrow: (error: unknown) => void): void {
  const emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
  socket.emit = ((...args: unknown[]): boolean => {
    try {
      return emit(...args);
    } catch (error) {
      onThrow(error);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      socket.destroy();
      return true;
    }
  }) as Socket['emit'];
}
