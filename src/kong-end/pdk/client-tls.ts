import { reject } from './checks.ts';
import type { Implementations } from './types.ts';

/** The TLS functions; the sandbox asks clients for no certificate. */
export const tlsFunctions: Implementations = {
  'kong.client.tls.request_client_certificate': () => true,
  'kong.client.tls.disable_session_reuse': () => true,
  'kong.client.tls.disable_http2_alpn': () => null,
  'kong.client.tls.get_full_client_certificate_chain': ({ exchange }) =>
    exchange.tls?.clientCertificate ?? null,
  'kong.client.tls.set_client_verify': ({ exchange }, [value]) => {
    if (typeof value !== 'string' || !/^(SUCCESS|NONE|FAILED:.+)$/s.test(value))
      return reject(
        `unknown client verify value: ${String(value)} accepted values are: "SUCCESS", "NONE" or "FAILED:<reason>"`,
      );
    exchange.clientVerify = value;
    return null;
  },
};
