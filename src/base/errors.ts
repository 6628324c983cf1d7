/**
 * The error registry: every error that kong-ts raises on purpose has a code here, with what it means and whose
 * fault it is. `docs/errors.md` lists the same codes, and a test holds the two together.
 *
 * - `user`: the person who wrote the configuration, the command line or the plugin can mend it.
 * - `client`: bytes from Kong, an HTTP client or a webhook target were not what they have to be.
 * - `environment`: a file, socket, disk or network was not there or refused.
 */
export type Fault = 'user' | 'client' | 'environment';

export const errorCodes = {
  // wire
  FRAME_TOO_LARGE: { fault: 'client', meaning: 'A frame or message is larger than the limit.' },
  FRAME_TRUNCATED: { fault: 'client', meaning: 'A connection ended in the middle of a message.' },
  FRAME_MALFORMED: { fault: 'client', meaning: 'The bytes are not a message of the protocol.' },
  // pdk
  PDK_NOT_IN_PHASE: { fault: 'user', meaning: 'The function cannot be called in this phase.' },
  PDK_NOT_IN_PROTOCOL: { fault: 'user', meaning: 'The function needs the MsgPack:1 protocol.' },
  PDK_INVALID_ARGUMENT: { fault: 'user', meaning: 'Kong would reject this argument.' },
  PDK_EVENT_ENDED: {
    fault: 'user',
    meaning: 'The call came after the event had ended (exit, error, timeout).',
  },
  PDK_CALL_FAILED: {
    fault: 'client',
    meaning: 'Kong answered the call with an error or dropped the connection.',
  },
  PDK_BODY_UNAVAILABLE: { fault: 'environment', meaning: 'The body is on disk and the file cannot be read.' },
  PDK_BODY_MALFORMED: { fault: 'client', meaning: 'The body is not what its content type says.' },
  // plugin
  PLUGIN_NOT_FOUND: { fault: 'user', meaning: 'There is no such plugin file or package.' },
  PLUGIN_LOAD_FAILED: { fault: 'user', meaning: 'The plugin file threw while it was loaded.' },
  PLUGIN_INVALID: { fault: 'user', meaning: 'The module does not export a plugin.' },
  PLUGIN_SCHEMA_UNSUPPORTED: { fault: 'user', meaning: 'The zod schema has no counterpart in Kong.' },
  CONFIG_INVALID: { fault: 'user', meaning: 'The plugin configuration does not match its schema.' },
  // server
  INSTANCE_UNKNOWN: { fault: 'client', meaning: 'Kong used an instance id that this server never gave out.' },
  SETUP_FAILED: { fault: 'user', meaning: "A plugin's setup rejected, threw or took too long." },
  LOG_WITHHELD: {
    fault: 'user',
    meaning:
      'A log event was ended without running, because workers had died with other log events of its configuration.',
  },
  PHASE_TIMEOUT: { fault: 'user', meaning: 'A phase handler ran longer than its limit.' },
  SOCKET_IN_USE: {
    fault: 'environment',
    meaning: 'Something is at the socket path that kong-ts must not replace.',
  },
  SOCKET_UNUSABLE: { fault: 'environment', meaning: 'The socket cannot be created or connected to.' },
  PORT_IN_USE: { fault: 'environment', meaning: 'A TCP port is taken by another process.' },
  // command line and files
  USAGE: { fault: 'user', meaning: 'The command line is not understood.' },
  FILE_UNREADABLE: {
    fault: 'environment',
    meaning: 'A file cannot be read or is not of the expected format.',
  },
  // sandbox
  DECLARATIVE_INVALID: { fault: 'user', meaning: 'The declarative configuration is not valid.' },
  PLUGIN_SERVER_UNREACHABLE: { fault: 'environment', meaning: 'No plugin server answers on the socket.' },
  // event hooks
  HOOK_INVALID: { fault: 'user', meaning: 'An event hook does not match its schema.' },
  HOOKS_UNAVAILABLE: { fault: 'environment', meaning: 'The event hook dispatcher cannot be reached.' },
  STORE_FAILED: { fault: 'environment', meaning: 'The store could not read or write.' },
  TARGET_REFUSED: { fault: 'user', meaning: 'The address of a target is in a range that is not allowed.' },
  DELIVERY_FAILED: { fault: 'client', meaning: 'A delivery attempt did not succeed.' },
  TEMPLATE_INVALID: { fault: 'user', meaning: 'A template does not parse or exceeds its limits.' },
  // Kong's Admin API, as a client of it
  ADMIN_UNREACHABLE: {
    fault: 'environment',
    meaning: 'The Admin API cannot be reached or does not answer in time.',
  },
  ADMIN_REFUSED: { fault: 'user', meaning: 'The Admin API refused the request.' },
  // containers for tests
  CONTAINERS_UNAVAILABLE: {
    fault: 'environment',
    meaning: 'testcontainers is not installed, or no container engine answers.',
  },
  CONTAINER_FAILED: {
    fault: 'environment',
    meaning: 'A container did not start or do what was asked of it.',
  },
  // lua
  LUA_INVALID: { fault: 'user', meaning: 'Lua source does not parse.' },
  LUA_FAILED: { fault: 'user', meaning: 'Lua code raised an error.' },
  LUA_LIMIT: { fault: 'user', meaning: 'Lua code exceeded its time or memory limit.' },
  // testing
  TEST_MISUSE: { fault: 'user', meaning: 'A test asks the test kit for something that is impossible.' },
} as const satisfies Record<string, { fault: Fault; meaning: string }>;

export type ErrorCode = keyof typeof errorCodes;

export interface KongTsErrorOptions {
  /** The error that led to this one. */
  cause?: unknown;
  /** What the reader can do about it, as a full sentence. Appended to the message. */
  fix?: string;
}

/** An error of kong-ts itself: `code` is stable, `message` names what is wrong, where, and how to mend it. */
export class KongTsError extends Error {
  override readonly name = 'KongTsError';
  readonly code: ErrorCode;
  readonly fault: Fault;

  constructor(code: ErrorCode, message: string, options: KongTsErrorOptions = {}) {
    super(
      options.fix === undefined ? message : `${message} ${options.fix}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.fault = errorCodes[code].fault;
  }

  /**
   * Whether something that was thrown is an error of kong-ts. Unlike `instanceof` it also knows errors of a second
   * copy of this package (a plugin's own installation, a test runner's).
   */
  static is(thrown: unknown): thrown is KongTsError {
    return (
      thrown instanceof KongTsError ||
      (thrown instanceof Error && thrown.name === 'KongTsError' && 'code' in thrown && 'fault' in thrown)
    );
  }
}

/** The message of anything that was thrown, for text that a person reads. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  if (typeof thrown === 'string') return thrown;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return String(thrown);
  }
}
