import * as s from './shared.ts';
import type { NamespaceSpec } from './types.ts';

export const service = {
  setUpstream: {
    name: 'kong.service.set_upstream',
    description:
      'Sends the request to an upstream by its name. False when there is none of that name. Where the host of the service is an IP address, Kong does not look the name up (3.9.3): the result is true, and the client gets a 500. Give the service a name for a host.',
    example: "const found = await kong.service.setUpstream('blue');",
    arguments: [{ name: 'host', type: 'string', check: 'upstream' }],
    result: s.boolean,
    phases: s.accessOnly,
    protobuf: { arguments: 'String', result: 'Bool' },
    travel: s.getter,
  },
  setTarget: {
    name: 'kong.service.set_target',
    description:
      'Sends the request to a host and port (0 to 65535). Where the host of the service is an IP address, the host given here has to be one, too: Kong does not look a name up then (3.9.3), and the client gets a 500.',
    example: "await kong.service.setTarget('10.0.0.7', 8080);",
    arguments: [
      { name: 'host', type: 'string', check: 'upstream' },
      { name: 'port', type: 'number', check: 'port' },
    ],
    result: s.nothing,
    phases: s.targetPhases,
    protobuf: { arguments: 'Target', result: 'google.protobuf.Empty' },
    travel: s.setter,
  },
  setRetries: {
    name: 'kong.service.set_retries',
    since: '3.8',
    description: 'Sets how often Kong retries the upstream (0 to 32767).',
    example: 'await kong.service.setRetries(1);',
    arguments: [{ name: 'retries', type: 'number', check: 'retries' }],
    result: s.nothing,
    phases: s.accessOnly,
    protobuf: null,
    travel: s.msgpackSetter,
  },
  setTimeouts: {
    name: 'kong.service.set_timeouts',
    since: '3.8',
    description: 'Sets the timeouts towards the upstream, in milliseconds (1 to 2147483646).',
    example: 'await kong.service.setTimeouts(1_000, 5_000, 5_000);',
    arguments: [
      { name: 'connect', type: 'number', check: 'timeout' },
      { name: 'write', type: 'number', check: 'timeout' },
      { name: 'read', type: 'number', check: 'timeout' },
    ],
    result: s.nothing,
    phases: s.accessOnly,
    protobuf: null,
    travel: s.msgpackSetter,
  },
  setTlsVerify: {
    name: 'kong.service.set_tls_verify',
    description: "Whether Kong verifies the upstream's certificate. False when Kong could not set it.",
    example: 'await kong.service.setTlsVerify(true);',
    arguments: [{ name: 'on', type: 'boolean', check: 'flag' }],
    result: s.boolean,
    phases: s.upstreamTlsPhases,
    protobuf: null,
    travel: s.msgpackGetter,
  },
  setTlsVerifyDepth: {
    name: 'kong.service.set_tls_verify_depth',
    description: "How long the upstream's certificate chain may be. False when Kong could not set it.",
    example: 'await kong.service.setTlsVerifyDepth(2);',
    arguments: [{ name: 'depth', type: 'number', check: 'depth' }],
    result: s.boolean,
    phases: s.upstreamTlsPhases,
    protobuf: null,
    travel: s.msgpackGetter,
  },
} as const satisfies NamespaceSpec;

export const serviceResponse = {
  getStatus: {
    name: 'kong.service.response.get_status',
    description: 'The status that the upstream answered with, null when the request was not proxied.',
    example: 'const status = await kong.service.response.getStatus();',
    arguments: [],
    result: s.numberOrNull,
    phases: s.responseOnly,
    protobuf: s.emptyToInt,
    travel: s.getter,
    steady: true,
    inLog: {
      from: ['kong.log.serialize'],
      note: "In log it is the last `upstream_status` of the record: Kong's own function raises there unless the response was buffered.",
    },
  },
  getHeaders: {
    name: 'kong.service.response.get_headers',
    description:
      'The headers that the upstream answered with. Empty in the phases that an external plugin sees (Kong 3.9.3 buffers there): use getHeader or kong.response.getHeaders.',
    example: 'const headers = await kong.service.response.getHeaders();',
    arguments: [s.maximum],
    result: s.headers,
    phases: s.responseOnly,
    protobuf: s.intToStruct,
    travel: s.getter,
    steady: true,
  },
  getHeader: {
    name: 'kong.service.response.get_header',
    description:
      "The first value of a header of the upstream, null when it is absent or empty. Over ProtoBuf:1 `content-length` is that of kong.response.getHeader: Kong has the upstream's as a number, which fails there.",
    example: "const type = await kong.service.response.getHeader('content-type');",
    arguments: [s.headerName],
    result: s.textOrNull,
    phases: s.responseOnly,
    protobuf: s.textToText,
    travel: s.getter,
    steady: true,
  },
  getRawBody: {
    name: 'kong.service.response.get_raw_body',
    description: "The upstream's body. Needs buffered proxying, which a response handler switches on.",
    example: 'const body = await kong.service.response.getRawBody();',
    arguments: [],
    result: { kind: 'bytes', type: 'Buffer', empty: 'zero' },
    phases: s.responseOnly,
    protobuf: { arguments: 'google.protobuf.Empty', result: 'ByteString' },
    travel: s.getter,
  },
  getBody: {
    name: 'kong.service.response.get_body',
    description:
      "The upstream's body, parsed by its content type (JSON, urlencoded form, multipart form); null for other types.",
    example: 'const body = await kong.service.response.getBody();',
    arguments: [
      { name: 'mimetype', type: 'string', check: 'text', optional: true },
      { name: 'maxArgs', type: 'number', check: 'maximum', optional: true },
    ],
    result: { kind: 'value', type: 'ParsedBody | null', empty: 'null' },
    phases: s.responseOnly,
    protobuf: null,
    travel: s.composedBoth,
    composed: {
      from: ['kong.service.response.get_header', 'kong.service.response.get_raw_body'],
      phases: s.responseOnly,
      note: 'A body that is not what its content type says rejects with PDK_BODY_MALFORMED, where Lua gets nil and a message.',
    },
  },
} as const satisfies NamespaceSpec;
