import type { FormFields } from '../model/form-fields.ts';

/** The fields of a hook, with those of every kind of handler. Loaded when asked: the kinds bring all that handlers need. */
export async function hookFields(): Promise<FormFields> {
  return (await import('./kinds.ts')).handlerKinds.form;
}
