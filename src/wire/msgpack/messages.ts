import { malformed } from './reader.ts';

/** `[0, id, method, arguments]`: Kong sends one argument. */
export interface Request {
  readonly type: 'request';
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}
/** `[1, id, error, result]`: one of the last two is null. */
export interface Response {
  readonly type: 'response';
  readonly id: number;
  readonly error: unknown;
  readonly result: unknown;
}
/** `[2, name, value]`: only the server sends it. */
export interface Notification {
  readonly type: 'notification';
  readonly name: string;
  readonly value: unknown;
}
export type Message = Request | Response | Notification;

/**
 * The methods by which Kong hands back the result of a call: `plugin.Step`, and others like it for some functions
 * (measured on Kong 3.9.3).
 */
export const stepMethods = [
  'plugin.Step',
  'plugin.StepCredential',
  'plugin.StepRoute',
  'plugin.StepService',
  'plugin.StepConsumer',
  'plugin.StepMemoryStats',
  'plugin.StepMultiMap',
  'plugin.StepError',
] as const;
export type StepMethod = (typeof stepMethods)[number];

/** What a request of Kong asks for. */
export type Command =
  | { readonly type: 'startInstance'; readonly name: string; readonly config: string }
  | { readonly type: 'closeInstance'; readonly instanceId: number }
  /** `instanceId` is null where Kong has lost it: two changes of a configuration overlapped (measured on Kong 3.9.3). */
  | { readonly type: 'handleEvent'; readonly instanceId: number | null; readonly eventName: string }
  /** `data` is null where Kong sent no Data: the call returned nil. */
  | { readonly type: 'step'; readonly eventId: number; readonly data: unknown; readonly failed: boolean }
  | { readonly type: 'other'; readonly method: string; readonly args: readonly unknown[] };

/** What the server answers to HandleEvent and Step. */
export type EventAnswer =
  | { readonly eventId: number; readonly done: true }
  | {
      readonly eventId: number;
      readonly done: false;
      readonly method: string;
      readonly args: readonly unknown[];
    };

/** @throws KongTsError FRAME_MALFORMED for anything that is not a message */
export function readMessage(value: unknown): Message {
  if (!Array.isArray(value)) malformed('a message is not an array');
  const [kind, second, third, fourth] = value as unknown[];
  if (kind === 0 && value.length === 4 && typeof third === 'string' && Array.isArray(fourth)) {
    return { type: 'request', id: readId(second), method: third, args: fourth };
  }
  if (kind === 1 && value.length === 4) {
    return { type: 'response', id: readId(second), error: third ?? null, result: fourth ?? null };
  }
  if (kind === 2 && value.length === 3 && typeof second === 'string') {
    return { type: 'notification', name: second, value: third };
  }
  return malformed('an array is neither request, response nor notification');
}

function readId(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : malformed('a message id is not a positive number');
}
