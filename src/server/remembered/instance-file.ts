import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readSync,
  lstatSync,
  renameSync,
  rmSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { messageOf } from '../../base/errors.ts';
import type { InstanceRecord } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import { temporarySocketPath } from '../../unix/index.ts';
import type { Entry } from './line.ts';
import { closedLine, readLine, recordLine } from './line.ts';

export interface InstanceFileOptions {
  readonly path: string;
  readonly log: ServerLog;
  /** The size above which only the latest instances are kept, in bytes. Default 64 MiB. */
  readonly mostBytes?: number;
}

/** What is read at a time, in bytes; a line may be longer. */
const pieceBytes = 1024 * 1024;

/**
 * The ids that Kong has, and their configurations, in a file beside the socket. So the next server, and one that shares
 * the socket for a while, know them, too. Without the file, Kong starts every instance anew, once for each event that
 * is on its way.
 *
 * Each process appends a line at a time to the file of that name. The contents are a claim: the file has to be a plain
 * one of this user that nobody else can open, and a malformed line is skipped. If the file cannot be trusted or used,
 * the server leaves it alone, writes one line to the log, and does without.
 */
export class InstanceFile {
  readonly #path: string;
  readonly #log: ServerLog;
  readonly #mostBytes: number;
  /** What has been read of which file. */
  #inode = 0;
  #offset = 0;
  #usable = true;

  constructor({ path, log, mostBytes = 64 * 1024 * 1024 }: InstanceFileOptions) {
    this.#path = path;
    this.#log = log;
    this.#mostBytes = mostBytes;
  }

  /** @returns true when the file has grown too large and has to be written anew, see `rewrite` */
  add(record: InstanceRecord): boolean {
    return this.#append(recordLine(record));
  }

  /** @returns see `add` */
  remove(id: number): boolean {
    return this.#append(closedLine(id));
  }

  /** Reads what this or another process has written since the last time. */
  read(take: (entry: Entry) => void): void {
    this.#use(constants.O_RDONLY, (file, { ino, size }) => {
      if (ino !== this.#inode || size < this.#offset) this.#offset = 0;
      this.#inode = ino;
      if (size > this.#offset) this.#offset = readLines(file, this.#offset, take);
    });
  }

  /**
   * Writes the file anew with the latest of these instances, as many as fit into half of its size. Kong starts the
   * others again when it needs them.
   * @param records the one used longest ago first
   */
  rewrite(records: readonly InstanceRecord[]): void {
    const lines: string[] = [];
    let room = this.#mostBytes / 2;
    for (const record of records.toReversed()) {
      const line = recordLine(record);
      room -= Buffer.byteLength(line);
      if (room < 0) break;
      lines.push(line);
    }
    const temporary = temporarySocketPath(this.#path);
    try {
      const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        writeAll(file, Buffer.from(lines.reverse().join('')));
      } finally {
        closeSync(file);
      }
      renameSync(temporary, this.#path);
    } catch (error) {
      rmSync(temporary, { force: true });
      this.#giveUp(messageOf(error));
    }
  }

  /** Shows that its server listens. */
  touch(): void {
    const now = Date.now() / 1000;
    try {
      if (this.#usable) utimesSync(this.#path, now, now);
    } catch {
      // No file: Kong has no id yet.
    }
  }

  /** When a server last showed itself, in milliseconds since the epoch. Null if that is unknown. */
  lastSign(): number | null {
    return lstatSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? null;
  }

  #append(line: string): boolean {
    let large = false;
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
    this.#use(flags, (file, { size }) => {
      const bytes = Buffer.from(line);
      writeAll(file, bytes);
      large = size + bytes.length > this.#mostBytes;
    });
    return large;
  }

  #use(flags: number, use: (file: number, stats: Stats) => void): void {
    if (!this.#usable) return;
    try {
      // Neither a link nor a pipe that nobody writes to.
      const safe = flags | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      const file = openSync(this.#path, safe, 0o600);
      try {
        const stats = fstatSync(file);
        const distrust = whyNot(stats, this.#mostBytes);
        if (distrust !== null) this.#giveUp(distrust);
        else {
          if ((flags & constants.O_CREAT) !== 0 && stats.size === 0) fchmodSync(file, 0o600);
          use(file, stats);
        }
      } finally {
        closeSync(file);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && (flags & constants.O_CREAT) === 0) return;
      this.#giveUp(messageOf(error));
    }
  }

  #giveUp(reason: string): void {
    this.#usable = false;
    this.#log.warn('instance ids are not kept in a file: Kong starts its instances anew after a restart', {
      file: this.#path,
      reason,
    });
  }
}

function whyNot({ uid, mode, nlink, size }: Stats, mostBytes: number): string | null {
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) return 'it is not a regular file';
  if (uid !== process.geteuid?.()) return `it belongs to another user (${String(uid)})`;
  if ((mode & 0o077) !== 0) return `others can open it (mode ${(mode & 0o777).toString(8)})`;
  if (nlink !== 1) return 'it has another name, too';
  // One line may exceed the limit before the file is written anew. More than that does not come from a server of ours.
  return size > 2 * mostBytes + 2 * pieceBytes ? 'it is too large' : null;
}

/** @returns where the last whole line ends */
function readLines(file: number, offset: number, take: (entry: Entry) => void): number {
  let end = offset;
  let rest = Buffer.alloc(0);
  const piece = Buffer.allocUnsafe(pieceBytes);
  for (let at = offset; ;) {
    const length = readSync(file, piece, 0, piece.length, at);
    if (length === 0) return end;
    at += length;
    const bytes = Buffer.concat([rest, piece.subarray(0, length)]);
    let start = 0;
    for (let line = bytes.indexOf(10); line >= 0; line = bytes.indexOf(10, start)) {
      const entry = readLine(bytes.toString('utf8', start, line));
      if (entry !== null) take(entry);
      start = line + 1;
    }
    end = at - (bytes.length - start);
    rest = bytes.subarray(start);
  }
}

function writeAll(file: number, bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) at += writeSync(file, bytes, at);
}
