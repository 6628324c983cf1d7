import { existsSync, statSync } from 'node:fs';
import type { ServerDefinition } from '../kong-conf.ts';
import type { Finding } from './finding.ts';
import { error } from './finding.ts';
import type { KongUser } from './permissions.ts';
import { closedFolder, may } from './permissions.ts';

/**
 * The plugins' files that a start_cmd names have to be absolute paths, to be there, and to be readable for the user of
 * the nginx workers, who runs the command. A query_cmd is not looked at: the user who starts Kong runs it, and it says
 * itself what it misses when doctor runs it.
 * @param user null: not known here
 */
export function checkFiles(server: ServerDefinition, user: KongUser | null): Finding[] {
  const subject = `${server.prefix}_start_cmd`;
  const words = new Set((server.startCommand ?? '').trim().split(/\s+/));
  return [...words].flatMap((word) => {
    if (/^\.{1,2}\//.test(word)) {
      return [
        error(
          subject,
          `"${word}" is a relative path.`,
          'Kong runs commands in a folder of its own: give an absolute path.',
        ),
      ];
    }
    if (!/^\/.*\.[cm]?[jt]s$/.test(word)) return [];
    if (existsSync(word)) return user === null ? [] : checkReadable(subject, word, user);
    return [
      error(
        subject,
        `${word} is not there (as seen from here).`,
        'Give the path as Kong sees it; run kong-ts doctor where Kong runs.',
      ),
    ];
  });
}

function checkReadable(subject: string, file: string, user: KongUser): Finding[] {
  const who = `The user of the nginx workers (uid ${String(user.uid)})`;
  const closed = closedFolder(file, user);
  if (closed !== null) {
    return [
      error(
        subject,
        `${who} may not pass through ${closed} to ${file}.`,
        `Give others the right to pass through it (chmod o+x ${closed}), or put the file elsewhere.`,
      ),
    ];
  }
  if (may(0o4, statSync(file), user)) return [];
  return [
    error(subject, `${who} may not read ${file}.`, `Give others the right to read it (chmod o+r ${file}).`),
  ];
}
