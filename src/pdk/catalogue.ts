import type { Phase, Protocol } from './phases.ts';

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

/** One function of Kong's PDK. */
export interface FunctionRow {
  /** Kong's name, as on the wire: `kong.request.get_header`. */
  readonly name: string;
  /** How it travels over ProtoBuf:1, null where its service lacks it. */
  readonly protobuf: { readonly arguments: ArgumentsMessage; readonly result: ResultMessage } | null;
  readonly phases: Readonly<Record<Protocol, readonly Phase[]>>;
}
