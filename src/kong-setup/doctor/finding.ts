/** The result of a check. `error`: Kong will not run the plugin. `warning`: it may not do what you expect. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  /** What was looked at: a property, a path, an address. */
  readonly subject: string;
  /** What is so, as a sentence. */
  readonly says: string;
  /** How to mend it, as a sentence; null where nothing is wrong. */
  readonly fix: string | null;
}

export const ok = (subject: string, says: string): Finding => ({ level: 'ok', subject, says, fix: null });
export const warning = (subject: string, says: string, fix: string): Finding => ({
  level: 'warning',
  subject,
  says,
  fix,
});
export const error = (subject: string, says: string, fix: string): Finding => ({
  level: 'error',
  subject,
  says,
  fix,
});
