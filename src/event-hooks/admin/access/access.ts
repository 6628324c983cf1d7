import type { IncomingHttpHeaders } from 'node:http';
import type { Callers } from '../../../http/index.ts';
import { sameText } from '../../../base/same-text.ts';
import { foreignCaller, sameOrigin } from '../../../http/index.ts';
import { SessionCookies } from './session-cookie.ts';
import type { Role, Session } from './session-cookie.ts';

/** Who may see what events hold: everybody who may look, admins, or nobody. */
export type PayloadView = 'all' | 'admin' | 'none';

export interface AccessOptions {
  /** Asked for in `Kong-Admin-Token`; null: everybody who can connect may do everything. */
  readonly token: string | null;
  /** The token of those who may look only; null: there are none. */
  readonly readToken: string | null;
  readonly payloadView: PayloadView;
  /** The names of the listener; null: it has none, as on a unix socket. */
  readonly callers: Callers | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Who has sent a request. */
export interface Caller {
  /** null: nobody who is known. */
  readonly role: Role | null;
  /** A token in the header, a session's cookie, or nothing, where nothing is needed. */
  readonly by: 'token' | 'session' | 'nothing';
  readonly session: Session | null;
  /** Whether payloads are shown to this caller. */
  readonly seesPayloads: boolean;
}

/** A request as far as access is concerned. */
export interface Asking {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** The header that a page sends with everything that changes something. No form and no other site's script can send it. */
export const pageHeader = 'kong-ts-console';

/** A status and why. */
export type Refusal = readonly [status: 401 | 403, message: string];

/** Decides who a caller is, and what that caller may do. */
export class Access {
  readonly cookies: SessionCookies;
  readonly #options: AccessOptions;
  readonly #tokens: ReadonlyMap<Role, string>;

  constructor(options: AccessOptions) {
    this.#options = options;
    const { token, readToken } = options;
    this.#tokens = new Map<Role, string>([
      ...(token === null ? [] : [['admin', token] as const]),
      ...(token === null || readToken === null ? [] : [['read', readToken] as const]),
    ]);
    this.cookies = new SessionCookies(this.#tokens);
  }

  /** Whether a token is needed here. */
  get needsToken(): boolean {
    return this.#options.token !== null;
  }

  callerOf({ headers }: Asking): Caller {
    if (!this.needsToken) return this.#caller('admin', 'nothing', null);
    const given = headers['kong-admin-token'];
    if (given !== undefined) return this.#caller(this.roleOf(String(given)), 'token', null);
    const session = this.cookies.read(headers.cookie, this.#options.now());
    return this.#caller(session?.role ?? null, session === null ? 'nothing' : 'session', session);
  }

  /** Whose token this is, null: nobody's. */
  roleOf(token: string): Role | null {
    let found: Role | null = null;
    for (const [role, known] of this.#tokens) if (sameText(token, known)) found ??= role;
    return found;
  }

  /**
   * Why a caller must not do what it asks for; null if it may.
   * @param acts whether that changes something, or sends something
   */
  refusal(caller: Caller, asking: Asking, acts: boolean): Refusal | null {
    if (caller.role === null) return [401, 'Unauthorized'];
    const foreign = caller.by === 'session' ? this.foreignName(asking.headers) : null;
    if (foreign !== null) return [403, foreign];
    if (!acts) return null;
    if (caller.role === 'read') return [403, 'This token may look and not change anything.'];
    return this.forgery(caller, asking);
  }

  /**
   * Why a request may have been made by another site in a browser that is permitted here; null if it was not. A token in a
   * header is not sent by itself, a cookie and a place on this machine are.
   */
  forgery(caller: Pick<Caller, 'by'>, { headers }: Asking): Refusal | null {
    const { origin, host, 'sec-fetch-site': site } = headers;
    const isBrowser = origin !== undefined || site !== undefined || caller.by === 'session';
    if (!isBrowser || caller.by === 'token') return null;
    // Browsers leave Sec-Fetch-Site out where the address is not trustworthy, as plain HTTP over a network.
    const isOwn = site === undefined ? sameOrigin(origin ?? '', host ?? '') : site === 'same-origin';
    if (!isOwn) return [403, 'The request comes from a page of another origin.'];
    if (headers[pageHeader] !== '1')
      return [403, `A page sends the header "${pageHeader}: 1" with what changes something.`];
    return null;
  }

  /** Why the name that a listener on this machine is called by is not one of its own; null if it is. */
  foreignName({ host }: IncomingHttpHeaders): string | null {
    const { callers } = this.#options;
    if (callers === null || !callers.loopback) return null;
    return foreignCaller('GET', host === undefined ? {} : { host }, callers);
  }

  /** Why there is no page for people here; null: there is one. */
  pageRefusal(headers: IncomingHttpHeaders): string | null {
    const { callers } = this.#options;
    if (callers !== null && !callers.loopback && !this.needsToken)
      return 'The console is shown beyond this machine only where a token is asked for: start with --token-file.';
    return this.foreignName(headers);
  }

  #caller(role: Role | null, by: Caller['by'], session: Session | null): Caller {
    const { payloadView } = this.#options;
    const seesPayloads =
      role !== null && (payloadView === 'all' || (payloadView === 'admin' && role === 'admin'));
    return { role, by, session, seesPayloads };
  }
}
