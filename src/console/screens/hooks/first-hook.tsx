import type { JSX } from 'preact';
import { mayWrite } from '../../api/session.ts';
import { href } from '../../router.ts';

/** The empty state of a new installation. */
export const FirstHook = (): JSX.Element => (
  <div class="card first stack">
    <h2>There is no hook yet</h2>
    <p>
      A hook sends what happens in the gateway to a target: a webhook, a log, or a Lua function. To see what
      arrives, let a first hook send to this page. It shows each event and checks its signature.
    </p>
    {mayWrite.value ? (
      <div class="row">
        <a class="button main" href={href(['receiver'])}>
          Send it to this page
        </a>
        <a class="button" href={href(['new'])}>
          Make another hook
        </a>
      </div>
    ) : (
      <p class="quiet">You may read only: somebody with the other token has to make it.</p>
    )}
  </div>
);
