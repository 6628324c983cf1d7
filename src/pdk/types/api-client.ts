// Written by `npm run docs` from the rows of the catalogue; change those.
import type { Consumer, ConsumerInput, Credential, CredentialInput, Route, Service } from './entities.ts';

/** `kong.client`: who sent the request. */
export interface ClientApi {
  /** The address of the peer that opened the connection to Kong. */
  getIp(): Promise<string>;
  /** The address of the client, from forwarding headers where the peer is trusted (trusted_ips). */
  getForwardedIp(): Promise<string>;
  /** The port of the peer that opened the connection to Kong. */
  getPort(): Promise<number>;
  /** The port of the client, from forwarding headers where the peer is trusted. */
  getForwardedPort(): Promise<number>;
  /** The credential of the authenticated consumer. ProtoBuf:1 carries its id and consumer_id only. */
  getCredential(): Promise<Credential | null>;
  /**
   * Loads a consumer by id or, when asked to, by username. null when there is none.
   * An id is a UUID.
   * @param idOrUsername a string that is not empty
   * @param searchByUsername a boolean
   */
  loadConsumer(idOrUsername: string, searchByUsername?: boolean): Promise<Consumer | null>;
  /** The authenticated consumer, null when there is none. */
  getConsumer(): Promise<Consumer | null>;
  /**
   * Sets the authenticated consumer and credential; null clears one of them.
   * @param consumer an object or null
   * @param credential an object or null
   */
  authenticate(consumer: ConsumerInput | null, credential: CredentialInput | null): Promise<void>;
  /**
   * The protocol that matched the route: 'http', 'https', 'grpc', 'tcp', ... null without a route.
   * @param allowTerminated a boolean
   */
  getProtocol(allowTerminated?: boolean): Promise<string | null>;
}

/** `kong.client.tls`: the client's TLS connection. */
export interface ClientTlsApi {
  /** Asks the client for its certificate during the TLS handshake. False when Kong could not. */
  requestClientCertificate(): Promise<boolean>;
  /** Forbids that the client resumes this TLS session. False when Kong could not. */
  disableSessionReuse(): Promise<boolean>;
  /** The certificate chain that the client presented, in PEM; null when it presented none. */
  getFullClientCertificateChain(): Promise<string | null>;
  /**
   * Overrides the result of the client certificate check that logs and headers show.
   * @param result 'SUCCESS', 'NONE' or 'FAILED:<reason>'
   */
  setClientVerify(result: 'SUCCESS' | 'NONE' | `FAILED:${string}`): Promise<void>;
  /**
   * Keeps HTTP/2 out of the protocols that the TLS handshake offers.
   * Kong 3.9 and later.
   */
  disableHttp2Alpn(): Promise<void>;
}

/** `kong.router`: what matched. */
export interface RouterApi {
  /** The route that matched, null when none did. */
  getRoute(): Promise<Route | null>;
  /** The service of the route, null when it has none. */
  getService(): Promise<Service | null>;
}

/** `kong.ip`: addresses, by Kong's configuration. */
export interface IpApi {
  /**
   * Whether an address is in Kong's `trusted_ips`.
   * @param address a string
   */
  isTrusted(address: string): Promise<boolean>;
}
