import type { SpoolOptions } from './options.ts';
import { Segment } from './segment.ts';

/**
 * The remaining records in a file of a former process. Null if there are none: then the file is deleted. A file that
 * cannot be read stays where it is.
 */
export async function recoverSegment(
  path: string,
  { openFile, failed, lost }: Pick<SpoolOptions, 'openFile' | 'failed' | 'lost'>,
): Promise<Segment | 'unreadable' | null> {
  try {
    const segment = await Segment.recover(path, openFile);
    if (segment.damaged > 0) {
      failed(
        `${segment.damaged} bytes of ${path} are not whole records: the end of a process or a full disk cut them off, or they are damaged; the others are delivered`,
      );
    }
    // At the end of a file, damage is a record whose log event had not ended. Elsewhere, at least one record was lost.
    if (segment.holes.size > 0)
      lost(segment.holes.size, 'damaged', `${path} is damaged in ${segment.holes.size} places`);
    if (segment.outstanding > 0) return segment;
    await segment.remove();
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    failed(`${path} cannot be read: ${reason}; it stays where it is`);
    return 'unreadable';
  }
}
