import { parseBody } from './body-format.ts';
import { httpOf, maximum, text } from './checks.ts';
import type { Implementations } from './types.ts';

export const serviceResponseFunctions: Implementations = {
  'kong.service.response.get_status': (call) => httpOf(call).upstreamAnswer?.status ?? null,
  // Always empty where an external plugin can ask (measured on Kong 3.9.3).
  'kong.service.response.get_headers': (_call, [max]) => {
    maximum(max, 'max_headers');
    return {};
  },
  'kong.service.response.get_header': (call, [name]) =>
    httpOf(call).upstreamAnswer?.headers.get(text(name, 'name')) ?? null,
  'kong.service.response.get_raw_body': (call) => httpOf(call).upstreamAnswer?.body ?? Buffer.alloc(0),
  'kong.service.response.get_body': (call, [mime]) => {
    const answer = httpOf(call).upstreamAnswer;
    if (answer === null || answer.body === null) return null;
    const type = typeof mime === 'string' && mime !== '' ? mime : answer.headers.get('content-type');
    return parseBody(type, answer.body);
  },
};
