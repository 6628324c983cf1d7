import type { Consumer, ConsumerInput, Credential, CredentialInput, Route, Service } from './entities.ts';

/** `kong.client`: who sent the request. */
export interface ClientApi {
  /** The address of the peer that opened the connection to Kong. */
  getIp(): Promise<string>;
  /** The address of the client, from forwarding headers where the peer is trusted. */
  getForwardedIp(): Promise<string>;
  getPort(): Promise<number>;
  getForwardedPort(): Promise<number>;
  /** null without authentication. Over ProtoBuf:1 only `id` and `consumer_id` arrive. */
  getCredential(): Promise<Credential | null>;
  /**
   * Loads a consumer from Kong.
   * @param idOrUsername a UUID unless searchByUsername is true
   * @returns null when there is none
   */
  loadConsumer(idOrUsername: string, searchByUsername?: boolean): Promise<Consumer | null>;
  /** null without authentication. */
  getConsumer(): Promise<Consumer | null>;
  /** Sets consumer and credential of the request; one of them may be null. */
  authenticate(consumer: ConsumerInput | null, credential: CredentialInput | null): Promise<void>;
  /**
   * The protocol that matched the route, null without a route.
   * @param allowTerminated believe X-Forwarded-Proto from a trusted peer
   */
  getProtocol(allowTerminated?: boolean): Promise<string | null>;
}

/** `kong.client.tls`: the client's TLS connection. */
export interface ClientTlsApi {
  /** Asks the client for its certificate; false when Kong could not. */
  requestClientCertificate(): Promise<boolean>;
  /** Forbids that the client resumes this TLS session; false when Kong could not. */
  disableSessionReuse(): Promise<boolean>;
  /** In PEM; null when the client presented none. */
  getFullClientCertificateChain(): Promise<string | null>;
  setClientVerify(result: 'SUCCESS' | 'NONE' | `FAILED:${string}`): Promise<void>;
  disableHttp2Alpn(): Promise<void>;
}

/** `kong.router`: what matched. */
export interface RouterApi {
  getRoute(): Promise<Route | null>;
  getService(): Promise<Service | null>;
}

/** `kong.ip`. */
export interface IpApi {
  /** Whether an address is in Kong's `trusted_ips`. */
  isTrusted(address: string): Promise<boolean>;
}
