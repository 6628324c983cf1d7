/**
 * Words that many rows share: sets of phases (measured on Kong 3.9.3), ways to travel, arguments and results.
 * `as const` keeps the literals: the types of `Kong<Phase, Protocol>` are derived from them.
 */
export const everyPhase = ['certificate', 'rewrite', 'access', 'response', 'preread', 'log'] as const;
export const noPhase = [] as const;
export const certificatePreread = ['certificate', 'preread'] as const;
export const prereadOnly = ['preread'] as const;
export const connectionPhases = ['rewrite', 'access', 'response', 'preread'] as const;
export const requestPhases = ['rewrite', 'access', 'response'] as const;
export const requestAndLog = ['rewrite', 'access', 'response', 'log'] as const;
export const authenticatedPhases = ['access', 'response', 'log'] as const;
export const accessResponse = ['access', 'response'] as const;
export const accessOnly = ['access'] as const;
export const responseAndLog = ['response', 'log'] as const;
export const responseOnly = ['response'] as const;
export const logOnly = ['log'] as const;
export const upstreamPhases = ['rewrite', 'access'] as const;
export const targetPhases = ['access', 'preread'] as const;
export const upstreamTlsPhases = ['rewrite', 'access', 'preread'] as const;
export const exitPhases = ['rewrite', 'access', 'response', 'preread'] as const;

export const getter = { protobuf: 'getter', msgpack: 'getter' } as const;
export const setter = { protobuf: 'setter', msgpack: 'setter' } as const;
export const log = { protobuf: 'log', msgpack: 'log' } as const;
export const exit = { protobuf: 'exit', msgpack: 'exit' } as const;
export const composedBoth = { protobuf: 'composed', msgpack: 'composed' } as const;
export const composedGetter = { protobuf: 'composed', msgpack: 'getter' } as const;
export const msgpackGetter = { protobuf: 'absent', msgpack: 'getter' } as const;
export const msgpackSetter = { protobuf: 'absent', msgpack: 'setter' } as const;

export const textOrNull = { kind: 'text', type: 'string | null', empty: 'null' } as const;
export const text = { kind: 'text', type: 'string', empty: 'zero' } as const;
export const number = { kind: 'number', type: 'number', empty: 'zero' } as const;
export const numberOrNull = { kind: 'number', type: 'number | null', empty: 'null' } as const;
export const boolean = { kind: 'boolean', type: 'boolean', empty: 'zero' } as const;
export const nothing = { kind: 'void', type: 'void', empty: 'null' } as const;
export const value = { kind: 'value', type: 'JsonValue', empty: 'null' } as const;
export const headers = { kind: 'headers', type: 'Headers', empty: 'zero' } as const;
export const never = { kind: 'void', type: 'never', empty: 'null' } as const;

export const headerName = { name: 'name', type: 'string', check: 'headerName' } as const;
export const headerValue = { name: 'value', type: 'HeaderValue', check: 'headerValue' } as const;
export const headersArgument = { name: 'headers', type: 'HeadersInput', check: 'headers' } as const;
export const maximum = { name: 'max', type: 'number', check: 'maximum', optional: true } as const;

/** Message pairs of the ProtoBuf:1 service that occur often. */
export const emptyToText = { arguments: 'google.protobuf.Empty', result: 'String' } as const;
export const emptyToInt = { arguments: 'google.protobuf.Empty', result: 'Int' } as const;
export const emptyToNumber = { arguments: 'google.protobuf.Empty', result: 'Number' } as const;
export const textToText = { arguments: 'String', result: 'String' } as const;
export const textToNothing = { arguments: 'String', result: 'google.protobuf.Empty' } as const;
export const intToStruct = { arguments: 'Int', result: 'google.protobuf.Struct' } as const;
export const pairToNothing = { arguments: 'KV', result: 'google.protobuf.Empty' } as const;
export const structToNothing = {
  arguments: 'google.protobuf.Struct',
  result: 'google.protobuf.Empty',
} as const;
