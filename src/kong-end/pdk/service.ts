import type { Destination } from '../request/exchange.ts';
import { integer, reject, text } from './checks.ts';
import type { Implementations, PdkCall } from './types.ts';

function destinationOf(call: PdkCall): Destination {
  return call.exchange.destination ?? reject(`function cannot be called in ${call.phase} phase`);
}

const maxTimeout = 2 ** 31 - 2;

export const serviceFunctions: Implementations = {
  'kong.service.set_upstream': (call, [host]) => {
    const name = text(host, 'host');
    const { exchange } = call;
    const { upstreams } = exchange.node.snapshot();
    if (!upstreams.some((each) => each.name === name && (each.ws_id ?? '') === (exchange.route?.ws_id ?? '')))
      return null;
    destinationOf(call).host = name;
    return true;
  },
  'kong.service.set_target': (call, [host, port]) => {
    const destination = destinationOf(call);
    const name = text(host, 'host');
    destination.port = integer(port, 'port', 0, 65_535);
    destination.host = name;
    call.exchange.upstreamHost = name;
    return null;
  },
  'kong.service.set_retries': (call, [retries]) => {
    destinationOf(call).retries = integer(retries, 'retries', 0, 32_767);
    return null;
  },
  'kong.service.set_timeouts': (call, [connect, write, read]) => {
    const destination = destinationOf(call);
    destination.connectTimeoutMs = integer(connect, 'connect_timeout', 1, maxTimeout);
    destination.writeTimeoutMs = integer(write, 'write_timeout', 1, maxTimeout);
    destination.readTimeoutMs = integer(read, 'read_timeout', 1, maxTimeout);
    return null;
  },
  'kong.service.set_tls_verify': ({ exchange }, [on]) => {
    if (typeof on !== 'boolean') return reject('argument must be a boolean');
    exchange.tlsVerify = on;
    return true;
  },
  'kong.service.set_tls_verify_depth': (_call, [depth]) => {
    integer(depth, 'depth', 0, 2 ** 31 - 1);
    return true;
  },
};
