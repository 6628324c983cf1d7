import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { reasonOf } from '../api/client.ts';

/** A component whose file is fetched when it is first shown. */
export function lazily<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazily(props: Props): JSX.Element {
    const [problem, setProblem] = useState<string | null>(null);
    const [, setDone] = useState(false);
    useEffect(() => {
      if (loaded !== null) return;
      load().then(
        (module) => {
          loaded = module.default;
          setDone(true);
        },
        (error: unknown) => {
          setProblem(reasonOf(error));
        },
      );
    }, []);
    if (loaded !== null) {
      const Component = loaded;
      return <Component {...props} />;
    }
    return problem === null ? (
      <p class="waiting quiet" role="status">
        Loading…
      </p>
    ) : (
      <div class="notice bad" role="alert">
        <p>
          This part of the page could not be loaded ({problem}). After an update of kong-ts,{' '}
          <a href={location.href} onClick={() => location.reload()}>
            load the page again
          </a>
          .
        </p>
      </div>
    );
  };
}
