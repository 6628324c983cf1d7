import { statSync } from 'node:fs';

/** What tells one content of a file from the next without reading it; null: there is no such file. */
export type Signature = string | null;

/** A file as it was when somebody read it. */
export interface SeenFile {
  /** Absolute. */
  readonly path: string;
  readonly signature: Signature;
}

/**
 * The signature of a file as it is now. It changes with every way of saving: written in place (time and size), replaced by
 * another file (inode), deleted (null). Never throws: what cannot be read counts as absent.
 */
export function signatureOf(path: string): Signature {
  try {
    const { mtimeNs, ctimeNs, size, ino } = statSync(path, { bigint: true });
    return [mtimeNs, ctimeNs, size, ino].join(':');
  } catch {
    return null;
  }
}
