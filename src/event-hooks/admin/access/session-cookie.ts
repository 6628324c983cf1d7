import { createHmac, randomBytes } from 'node:crypto';
import { sameText } from '../../../base/same-text.ts';

/** What a caller may do: everything, or look. */
export type Role = 'admin' | 'read';

/** The cookie that stands for a token once it was given. It goes to the API's own paths only. */
export const cookieName = 'kong_ts_session';
const cookiePath = '/event-hooks';
/** How long a session lasts, in seconds. */
export const sessionSeconds = 43_200;
/** How many ended sessions are remembered until they would have run out. */
const mostEnded = 10_000;

export interface Session {
  readonly role: Role;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** What tells it from others. */
  readonly nonce: string;
}

/**
 * Sessions as signed texts, so that they outlast a restart and are known to each process with the same token. Another token
 * ends them all. A session that its user has ended is remembered by the process that was told.
 */
export class SessionCookies {
  readonly #keys: ReadonlyMap<Role, Buffer>;
  readonly #ended = new Map<string, number>();

  /** @param tokens the token of each role that there is */
  constructor(tokens: ReadonlyMap<Role, string>) {
    this.#keys = new Map(
      [...tokens].map(([role, token]) => [
        role,
        createHmac('sha256', token).update(`kong-ts console session of ${role}`).digest(),
      ]),
    );
  }

  /** The value of a new session's cookie. @param now milliseconds since the epoch */
  begin(role: Role, now: number): { session: Session; value: string } {
    const session = {
      role,
      until: now + sessionSeconds * 1000,
      nonce: randomBytes(16).toString('base64url'),
    };
    const text = textOf(session);
    return { session, value: `${text}.${this.#sign(role, text)}` };
  }

  /** The session of a request's `Cookie`; null where there is none, or it is over, or nobody here has begun it. */
  read(header: string | undefined, now: number): Session | null {
    for (const value of valuesOf(header)) {
      const [, text = '', role, until, nonce = '', signature = ''] =
        /^((admin|read)\.(\d{1,15})\.([\w-]{22}))\.([\w-]{43})$/.exec(value) ?? [];
      if (role === undefined) continue;
      const session: Session = { role: role as Role, until: Number(until), nonce };
      if (!this.#keys.has(session.role) || !sameText(signature, this.#sign(session.role, text))) continue;
      if (session.until > now && !this.#ended.has(nonce)) return session;
    }
    return null;
  }

  end({ nonce, until }: Session, now: number): void {
    for (const [old, over] of this.#ended) if (over <= now) this.#ended.delete(old);
    const oldest = this.#ended.keys().next();
    if (this.#ended.size >= mostEnded && oldest.done !== true) this.#ended.delete(oldest.value);
    this.#ended.set(nonce, until);
  }

  #sign(role: Role, text: string): string {
    return createHmac('sha256', this.#keys.get(role) ?? randomBytes(32))
      .update(text)
      .digest('base64url');
  }
}

/**
 * The header `Set-Cookie`. @param value empty: the cookie goes
 * @param isSecure the client has come over https, so the cookie goes back over https only
 */
export function setCookie(value: string, isSecure: boolean): string {
  const age = value === '' ? 0 : sessionSeconds;
  const secure = isSecure ? '; Secure' : '';
  return `${cookieName}=${value}; Path=${cookiePath}; Max-Age=${String(age)}; HttpOnly; SameSite=Strict${secure}`;
}

const textOf = ({ role, until, nonce }: Session): string => `${role}.${String(until)}.${nonce}`;

/** Other pages of this host may have set a cookie of the same name, so all of them are looked at. */
function valuesOf(header: string | undefined): string[] {
  const pairs = (header ?? '').split(';', 64).map((pair) => pair.trim());
  return pairs
    .filter((pair) => pair.startsWith(`${cookieName}=`))
    .map((pair) => pair.slice(cookieName.length + 1));
}
