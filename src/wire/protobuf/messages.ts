import type { Buffer } from 'node:buffer';

/** Message types of pluginsocket.proto that carry arguments. */
export type ArgumentsMessage =
  | 'google.protobuf.Empty'
  | 'google.protobuf.ListValue'
  | 'google.protobuf.Struct'
  | 'google.protobuf.Value'
  | 'Bool'
  | 'Int'
  | 'String'
  | 'ByteString'
  | 'KV'
  | 'ExitArgs'
  | 'Target'
  | 'ConsumerSpec'
  | 'AuthenticateArgs';

/** Message types of pluginsocket.proto that carry results. */
export type ResultMessage =
  | 'google.protobuf.Empty'
  | 'google.protobuf.Struct'
  | 'google.protobuf.Value'
  | 'Bool'
  | 'Int'
  | 'Number'
  | 'String'
  | 'ByteString'
  | 'RawBodyResult'
  | 'UriCapturesResult'
  | 'Consumer'
  | 'AuthenticatedCredential'
  | 'Route'
  | 'Service'
  | 'MemoryStats';

/** The body of a request: in memory, in a file of Kong's, or not available. */
export type RawBodyResult =
  { readonly content: Buffer } | { readonly body_filepath: string } | { readonly error: string };

/** Captures of a route's regular expression. */
export interface UriCapturesResult {
  readonly unnamed: string[];
  readonly named: Record<string, string>;
}

/** What Kong asks a plugin server for. Instance ids are int32. */
export type RpcCommand =
  | { readonly type: 'getPluginNames' }
  | { readonly type: 'getPluginInfo'; readonly name: string }
  /** `config` is JSON in UTF-8, with Kong's `__` fields in it. */
  | { readonly type: 'startInstance'; readonly name: string; readonly config: Buffer }
  | { readonly type: 'getInstanceStatus'; readonly instanceId: number }
  | { readonly type: 'closeInstance'; readonly instanceId: number }
  | { readonly type: 'handleEvent'; readonly instanceId: number; readonly eventName: string };

/** One request of Kong over ProtoBuf:1. The answer carries the same sequence. */
export interface RpcCall {
  readonly sequence: number | bigint;
  readonly command: RpcCommand;
}

/** `startedAt` is in seconds since 1970. */
export interface InstanceStatus {
  readonly name: string;
  readonly instanceId: number;
  readonly config?: unknown;
  readonly startedAt: number | bigint;
}

export interface PluginInfo {
  readonly name: string;
  readonly version: string;
  readonly priority: number;
  readonly phases: readonly string[];
  /** Kong's schema as JSON. */
  readonly schema: string;
  readonly updatedAt?: number | bigint;
  readonly loadedAt?: number | bigint;
}

export type RpcResult =
  | { readonly type: 'pluginNames'; readonly names: readonly string[] }
  | { readonly type: 'pluginInfo'; readonly info: PluginInfo }
  | { readonly type: 'instanceStatus'; readonly status: InstanceStatus };

/** The answer to an RpcCall; `result` is null after an event. */
export interface RpcReturn {
  readonly sequence: number | bigint;
  readonly result: RpcResult | null;
}

/** Numbers of the fields of an RpcCall that hold a command. */
export const commandFields = {
  getPluginNames: 31,
  getPluginInfo: 32,
  startInstance: 33,
  getInstanceStatus: 34,
  closeInstance: 35,
  handleEvent: 36,
} as const;
