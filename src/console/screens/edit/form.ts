import type { Draft } from '../../model/draft.ts';

/** What the parts of the form share. */
export interface Form {
  readonly draft: Draft;
  /** @param path such as `config.url`; undefined takes the field away */
  readonly set: (path: string, value: unknown) => void;
  /** What is wrong with a field that the reader has been at, or with any field once saving was tried; null: nothing. */
  readonly problem: (path: string) => string | null;
}
