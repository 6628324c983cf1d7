import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { readSession, session, sessionProblem } from './api/session.ts';
import { screenPath } from './router.ts';
import { Screen } from './screens/screen.tsx';
import { SignIn } from './screens/sign-in.tsx';
import { Header } from './shell/header.tsx';
import { Announcements } from './ui/announce.tsx';

export function App(): JSX.Element {
  useEffect(() => {
    void readSession();
  }, []);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        To the content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        <Inside />
      </main>
      <Announcements />
    </>
  );
}

/** The address behind # is the screen's: the jump to the content must not change it. */
function toMain(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Inside(): JSX.Element {
  const now = session.value;
  const problem = sessionProblem.value;
  if (now === null && problem !== null) {
    return (
      <div class="notice bad" role="alert">
        <p>The dispatcher does not answer: {problem}.</p>
        <button type="button" class="button" onClick={() => void readSession()}>
          Try again
        </button>
      </div>
    );
  }
  if (now === null) return <p class="quiet">Connecting…</p>;
  return now.role === null ? <SignIn /> : <Screen key={screenPath.value} />;
}
