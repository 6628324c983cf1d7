/** The protocols of a plugin server: `protobuf` is Kong's `ProtoBuf:1`, `msgpack` its `MsgPack:1`. */
export type Protocol = 'protobuf' | 'msgpack';
