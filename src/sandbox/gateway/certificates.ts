import type { SecureContext } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../../base/errors.ts';
import type { CertificateEntity, ConfigSnapshot, SandboxLog } from '../../kong-end/index.ts';
import { selfSigned } from './self-signed.ts';

/** Chooses certificates by server name, as Kong does: exact, then wildcards, then `*`, then one of its own. */
export class Certificates {
  readonly #log: SandboxLog;
  readonly #contexts = new Map<string, SecureContext | null>();
  #own: { key: string; cert: string } | null = null;
  #ownContext: SecureContext | null = null;
  #snapshot: ConfigSnapshot | null = null;

  constructor(log: SandboxLog) {
    this.#log = log;
  }

  /** The context for a server name, null where the client sent none. */
  contextFor(serverName: string | null, snapshot: ConfigSnapshot): SecureContext {
    if (snapshot !== this.#snapshot) {
      this.#snapshot = snapshot;
      this.#contexts.clear();
    }
    for (const name of candidates(serverName)) {
      const sni = snapshot.snis.find((each) => each.name === name);
      const certificate = snapshot.certificates.find((each) => each.id === sni?.certificate.id);
      const context = certificate === undefined ? null : this.#contextOf(certificate);
      if (context !== null) return context;
    }
    return this.#fallback;
  }

  /** A self-signed certificate for localhost, made at first use. */
  get fallbackOptions(): { key: string; cert: string } {
    this.#own ??= selfSigned();
    return this.#own;
  }

  get #fallback(): SecureContext {
    this.#ownContext ??= createSecureContext(this.fallbackOptions);
    return this.#ownContext;
  }

  #contextOf(certificate: CertificateEntity): SecureContext | null {
    const known = this.#contexts.get(certificate.id);
    if (known !== undefined) return known;
    let context: SecureContext | null = null;
    try {
      context = createSecureContext({ cert: certificate.cert, key: certificate.key });
    } catch (error) {
      this.#log('error', `[certificate] ${certificate.id} cannot be used: ${messageOf(error)}`);
    }
    this.#contexts.set(certificate.id, context);
    return context;
  }
}

/**
 * Names of SNI entities that Kong looks for. A wildcard on the left stands before two labels at least; a client without
 * a name gets Kong's own certificate, even if there is a `*`.
 */
function* candidates(serverName: string | null): Generator<string> {
  if (serverName === null) return;
  yield serverName;
  const labels = serverName.split('.');
  if (labels.length > 2) yield `*.${labels.slice(1).join('.')}`;
  if (labels.length > 1) yield `${labels.slice(0, -1).join('.')}.*`;
  yield '*';
}
