/** What the command line needs of the Admin API: fields of hooks, as forms have them. */
export { hookFields } from '../handlers/form.ts';
export { parseForm } from './form.ts';
export { FormFields } from '../model/form-fields.ts';
export type { FormField, JsonSchema } from '../model/form-fields.ts';
