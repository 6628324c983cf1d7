import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Snippet } from '../text/snippets.ts';
import { CopyButton } from './copy-button.tsx';

/** One text of several, with its button to copy. */
export function CodeChoice({
  label,
  snippets,
}: {
  label: string;
  snippets: readonly Snippet[];
}): JSX.Element {
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const snippet = snippets[chosen] ?? snippets[0];
  if (snippet === undefined) return <></>;
  return (
    <div class="stack tight">
      <div class="row spread">
        <label class="row" for={id}>
          <span class="small quiet">{label}</span>
          <select
            id={id}
            value={String(chosen)}
            onChange={({ currentTarget }) => {
              setChosen(Number(currentTarget.value));
            }}
          >
            {snippets.map(({ language }, index) => (
              <option key={language} value={String(index)}>
                {language}
              </option>
            ))}
          </select>
        </label>
        <CopyButton text={snippet.text} what="the program" />
      </div>
      <pre class="code" tabIndex={0} role="region" aria-label={`Program in ${snippet.language}`}>
        {snippet.text}
      </pre>
    </div>
  );
}
