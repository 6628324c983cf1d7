import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface PageProps {
  readonly title: string;
  /** Beside the title. */
  readonly actions?: ComponentChildren;
  /** Below it, such as the way back. */
  readonly above?: ComponentChildren;
  readonly children: ComponentChildren;
}

let first = true;

/** A screen with its title, which gets the focus when the reader comes from another screen. */
export function Page({ title, actions, above, children }: PageProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · kong-ts console`;
  }, [title]);
  useEffect(() => {
    // The page's first screen leaves the focus to the browser: its start is the start of the page.
    if (!first) heading.current?.focus({ preventScroll: true });
    if (!first) window.scrollTo(0, 0);
    first = false;
  }, []);
  return (
    <div class="stack page">
      <div class="page-head">
        <div class="stack tight">
          {above}
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
        </div>
        {actions === undefined ? null : <div class="row">{actions}</div>}
      </div>
      {children}
    </div>
  );
}
