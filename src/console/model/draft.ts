import type { Hook } from '../api/types.ts';

/** A hook as a form has it: what users may write. */
export type Draft = Readonly<Record<string, unknown>> & {
  readonly config: Readonly<Record<string, unknown>>;
};

export const emptyDraft = (handler: string): Draft => ({
  source: '',
  event: null,
  handler,
  on_change: null,
  snooze: null,
  config: {},
});

/** What the dispatcher adds to a hook. */
const added = new Set(['id', 'created_at', 'updated_at', 'disabled_reason']);

export const draftOf = (hook: Hook): Draft => ({
  ...Object.fromEntries(Object.entries(hook).filter(([name]) => !added.has(name))),
  config: hook.config,
});

/** A draft with one field changed. undefined takes it away. @param path such as `config.url` */
export function change(draft: Draft, path: string, value: unknown): Draft {
  const field = configField(path);
  if (field === null) return changed(draft, path, value) as Draft;
  return { ...draft, config: changed(draft.config, field, value) };
}

export const valueOf = (draft: Draft, path: string): unknown => {
  const field = configField(path);
  return field === null ? draft[path] : draft.config[field];
};

/** A field that holds text; '' where it holds none. */
export const textOf = (draft: Draft, name: string): string => {
  const value = draft[name];
  return typeof value === 'string' ? value : '';
};

const configField = (path: string): string | null => (path.startsWith('config.') ? path.slice(7) : null);

function changed(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  value: unknown,
): Record<string, unknown> {
  const { [name]: _, ...others } = fields;
  return value === undefined ? others : { ...others, [name]: value };
}
