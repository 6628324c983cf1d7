import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface MenuProps {
  /** What the actions are about; read after the word "Actions". */
  readonly of: string;
  readonly children: ComponentChildren;
}

/** Buttons behind a button. Escape, a choice and a click elsewhere close it. */
export function Menu({ of, children }: MenuProps): JSX.Element {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = (): void => {
    if (menu.current !== null) menu.current.open = false;
  };
  useEffect(() => {
    const outside = ({ target }: PointerEvent): void => {
      if (target instanceof Node && menu.current?.contains(target) === false) close();
    };
    document.addEventListener('pointerdown', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
    };
  }, []);
  return (
    <details
      ref={menu}
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || menu.current?.open !== true) return;
        event.stopPropagation();
        close();
        menu.current.querySelector('summary')?.focus();
      }}
      onFocusOut={({ relatedTarget }) => {
        if (relatedTarget instanceof Node && menu.current?.contains(relatedTarget) === false) close();
      }}
    >
      <summary class="button small-button">
        Actions<span class="unseen"> for {of}</span> <span aria-hidden="true">▾</span>
      </summary>
      <div class="menu-items" onClick={close}>
        {children}
      </div>
    </details>
  );
}
