import { useEffect, useState } from 'preact/hooks';
import { flatten } from '../../api/client.ts';
import { checkDraft } from '../../api/drafts.ts';
import type { Checked } from '../../api/drafts.ts';
import { change } from '../../model/draft.ts';
import type { Draft } from '../../model/draft.ts';
import type { Form } from './form.ts';

export interface CheckedForm extends Form {
  /** Every problem that the API names, whether the reader has been there or not. */
  readonly problems: Readonly<Record<string, string>>;
  /** The draft, if the API has found nothing wrong with it as it stands. */
  readonly sound: Draft | null;
  /** Checks the draft now, and shows every problem from now on. @throws Error that says what is wrong */
  readonly insist: () => Promise<void>;
}

/** How long the reader may pause between letters before what stands there is checked, in milliseconds. */
const pauseMs = 350;

/** A draft that the API checks while it is written, Lua and templates included. */
export function useForm(first: Draft, id: string | null): CheckedForm {
  const [draft, setDraft] = useState(first);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [all, setAll] = useState(false);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const [sound, setSound] = useState<Draft | null>(null);
  const take = ({ valid, fields }: Checked): void => {
    setProblems(flatten(fields));
    setSound(valid ? draft : null);
  };
  useEffect(() => {
    const control = new AbortController();
    const timer = setTimeout(() => {
      // Where the check does not answer, saving does.
      checkDraft(draft, id, control.signal).then(
        (checked) => {
          if (!control.signal.aborted) take(checked);
        },
        () => undefined,
      );
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [draft]);
  return {
    draft,
    problems,
    set: (path, value) => {
      setDraft((now) => change(now, path, value));
      setTouched((now) => (now.has(path) ? now : new Set([...now, path])));
    },
    problem: (path) => (all || touched.has(path) ? problemOf(problems, path) : null),
    sound: sound === draft ? sound : null,
    insist: async () => {
      setAll(true);
      const checked = await checkDraft(draft, id);
      take(checked);
      if (!checked.valid) throw new Error(checked.message ?? 'the form has errors');
    },
  };
}

/** What is wrong with a field or with a part of it, such as the second of its functions. */
function problemOf(problems: Readonly<Record<string, string>>, path: string): string | null {
  const own = problems[path];
  if (own !== undefined) return own;
  const below = Object.entries(problems).filter(([name]) => name.startsWith(`${path}.`));
  if (below.length === 0) return null;
  return below.map(([name, text]) => `${name.slice(path.length + 1)}: ${text}`).join('; ');
}
