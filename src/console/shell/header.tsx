import type { JSX } from 'preact';
import { session, signOut } from '../api/session.ts';
import { href, place } from '../router.ts';
import { theme, themes } from '../theme.ts';
import type { Theme } from '../theme.ts';

const sections: readonly [name: string, path: string, also: readonly string[]][] = [
  ['Hooks', 'hooks', ['deliveries', 'new']],
  ['Dead letters', 'dead-letters', []],
  ['Live', 'live', []],
  ['Receiver', 'receiver', []],
  ['Plugins', 'plugins', []],
  ['Store', 'store', []],
];

export function Header(): JSX.Element {
  const [first = 'hooks'] = place.value.path;
  const inside = session.value !== null && session.value.role !== null;
  return (
    <header class="header">
      <div class="header-inner">
        <a class="brand" href={href(['hooks'])}>
          <Logo />
          <span>kong-ts</span>
        </a>
        {inside ? (
          <nav aria-label="Sections">
            <ul class="sections">
              {sections.map(([name, path, also]) => (
                <li key={path}>
                  <a
                    href={href([path])}
                    aria-current={first === path || also.includes(first) ? 'page' : undefined}
                  >
                    {name}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
        ) : null}
        <div class="header-end">
          <Role />
          <ThemeChoice />
        </div>
      </div>
    </header>
  );
}

function Role(): JSX.Element | null {
  const now = session.value;
  if (now === null || now.role === null) return null;
  return (
    <>
      {now.role === 'read' ? <span class="badge plain">read only</span> : null}
      {now.login ? (
        <button type="button" class="button small-button" onClick={() => void signOut()}>
          Sign out
        </button>
      ) : null}
    </>
  );
}

const names: Readonly<Record<Theme, string>> = { system: 'System', light: 'Light', dark: 'Dark' };

function ThemeChoice(): JSX.Element {
  return (
    <label class="theme">
      <span class="unseen">Theme</span>
      <select value={theme.value} onChange={({ currentTarget: { value } }) => (theme.value = value as Theme)}>
        {themes.map((one) => (
          <option key={one} value={one}>
            {names[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

const Logo = (): JSX.Element => (
  <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
    <rect width="32" height="32" rx="7" class="logo-ground" />
    <path d="M9 7v18M9 17l12-10M13 14l10 11" class="logo-mark" />
  </svg>
);
