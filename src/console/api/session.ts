import { computed, signal } from '@preact/signals';
import { announce } from '../ui/announce.tsx';
import { call, reasonOf, whenUnauthorized } from './client.ts';
import type { Session } from './types.ts';

/** Who the reader is; null until the dispatcher has said so. */
export const session = signal<Session | null>(null);
export const sessionProblem = signal<string | null>(null);
/** Whether this reader may change anything. */
export const mayWrite = computed(() => session.value?.role === 'admin');
/** Whether payloads are shown to this reader. */
export const seesPayloads = computed(() => session.value?.payloads !== false);

const path = '/event-hooks/session';

export async function readSession(): Promise<void> {
  try {
    session.value = await call<Session>('GET', path);
    sessionProblem.value = null;
  } catch (error) {
    sessionProblem.value = reasonOf(error);
  }
}

/** The token goes out once; the cookie that comes back is out of reach of this page. @throws ApiError */
export async function signIn(token: string): Promise<void> {
  session.value = await call<Session>('POST', path, { body: { token } });
}

export async function signOut(): Promise<void> {
  await call('DELETE', path);
  await readSession();
}

whenUnauthorized(() => {
  const now = session.value;
  if (now === null || now.role === null) return;
  session.value = { ...now, role: null, login: true };
  announce('The session is over. Sign in again.', { bad: true });
});
