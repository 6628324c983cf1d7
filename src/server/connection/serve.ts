import type { Socket } from 'node:net';
import { KongConnection } from './connection.ts';
import type {
  ConnectionHandle,
  ConnectionHost,
  ForwardedAnswer,
  ForwardedStep,
  RuntimeCounts,
} from './host.ts';
import { readSocket } from './incoming.ts';
import { stepForwarded } from './msgpack-session.ts';
import { runtimeOf } from './runtime.ts';
import type { UnfinishedFrames } from './unfinished-frames.ts';

/**
 * Serves one connection of Kong until it is closed. It detects the protocol of every command, so that plugins of both
 * can share a socket. Never throws: errors go to the host's log.
 * @param ticket by which the host knows it, more than 0
 */
export function serveConnection(socket: Socket, host: ConnectionHost, ticket = 0): ConnectionHandle {
  const incoming = readSocket(socket, (bytes) => connection.read(bytes));
  const connection = new KongConnection(runtimeOf(host), incoming.socket, ticket);
  return connection;
}

/** Runs a step of an event of this worker that came to another one, see `ConnectionHost.forwardStep`. */
export function receiveForwardedStep(host: ConnectionHost, step: ForwardedStep): Promise<ForwardedAnswer> {
  return stepForwarded(runtimeOf(host), step);
}

/** What the connections of a host hold at this moment. */
export function lookAtRuntime(host: ConnectionHost): RuntimeCounts {
  return runtimeOf(host).look();
}

/** What the connections of a host hold of messages that are not whole. */
export const lookAtUnfinished = (host: ConnectionHost): Pick<UnfinishedFrames, 'bytes' | 'closed'> =>
  runtimeOf(host).unfinishedFrames;

/** Ends the events of MsgPack:1 whose next step Kong does not bring. @param why the reason that their calls get */
export function giveUpSteps(host: ConnectionHost, why: string): void {
  for (const event of [...runtimeOf(host).steppedEvents]) {
    event.abandon(why);
    event.expired();
  }
}
