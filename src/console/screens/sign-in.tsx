import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { reasonOf } from '../api/client.ts';
import { signIn } from '../api/session.ts';
import { Page } from '../shell/page.tsx';

export function SignIn(): JSX.Element {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await signIn(token);
    } catch (error) {
      setProblem(reasonOf(error));
    } finally {
      setToken('');
      setBusy(false);
    }
  };
  return (
    <Page title="Sign in">
      <form class="card stack narrow" onSubmit={(event) => void submit(event)}>
        <p>
          This dispatcher asks for a token: the one of its <code>--token-file</code>, or the one that may only
          read. The page keeps a cookie instead of it.
        </p>
        <label class="field">
          <span class="field-name">Token</span>
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token}
            aria-invalid={problem !== null}
            aria-describedby={problem === null ? undefined : 'sign-in-problem'}
            onInput={({ currentTarget: { value } }) => {
              setToken(value);
            }}
          />
        </label>
        {problem === null ? null : (
          <p id="sign-in-problem" class="problem" role="alert">
            It was not accepted: {problem}.
          </p>
        )}
        <div class="row">
          <button type="submit" class="button main" disabled={busy}>
            Sign in
          </button>
        </div>
      </form>
    </Page>
  );
}
