import type { HttpExchange } from '../request/http-exchange.ts';
import { parseBody } from './body-format.ts';
import { httpOf, maximum, reject, text } from './checks.ts';
import type { Implementations, PdkCall } from './types.ts';

/** The exchange, if Kong has read the answer of the upstream as a whole. */
function buffered(call: PdkCall): HttpExchange {
  const exchange = httpOf(call);
  if (exchange.buffered) return exchange;
  return reject('service body is only available with buffered proxying');
}

/**
 * The log phase runs in a timer, which cannot ask nginx. So Kong has only the answer that it has read as a whole and
 * put aside, and only if an upstream has answered (measured on Kong 3.9.3).
 */
function readable(call: PdkCall): HttpExchange {
  const exchange = httpOf(call);
  if (call.phase !== 'log' || (exchange.buffered && exchange.upstreamAnswer !== null)) return exchange;
  return reject('API disabled in the current context');
}

function header(call: PdkCall, name: string): string | number | null {
  const headers = readable(call).upstreamAnswer?.headers;
  const value = headers?.get(name) ?? headers?.get(name.replaceAll('_', '-')) ?? null;
  // The one header that Kong has as a number.
  return value !== null && /^content[-_]length$/i.test(name) ? Number(value) : value;
}

export const serviceResponseFunctions: Implementations = {
  'kong.service.response.get_status': (call) => readable(call).upstreamAnswer?.status ?? null,
  // Always empty when an external plugin can ask (measured on Kong 3.9.3).
  'kong.service.response.get_headers': (call, [max]) => {
    maximum(max, 'max_headers');
    readable(call);
    return {};
  },
  'kong.service.response.get_header': (call, [name]) => header(call, text(name, 'name')),
  'kong.service.response.get_raw_body': (call) => buffered(call).upstreamAnswer?.body ?? Buffer.alloc(0),
  'kong.service.response.get_body': (call, [mime]) => {
    const answer = buffered(call).upstreamAnswer;
    if (answer === null || answer.body === null) return null;
    const type = typeof mime === 'string' && mime !== '' ? mime : answer.headers.get('content-type');
    return parseBody(type, answer.body);
  },
};
