import { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { lstat, open, readlink, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { KongTsError, messageOf } from '../../base/errors.ts';

/**
 * The path comes from the peer on the socket, so it is a claim. Without these flags, a named pipe would hold a thread
 * of the process until somebody writes to it, and a link would lead anywhere.
 */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** File systems whose files say that they are regular, but show the server's own insides. */
const unreal = ['/proc', '/sys'];

/** Linux's limit of a path in bytes (`PATH_MAX` less its ending zero). */
const longestPath = 4095;
/** As much of a path is told, in characters: it comes in a message of any size. */
const toldOfPath = 256;

export interface BodyFilesOptions {
  /** Folders that Kong keeps bodies in; subfolders count. */
  readonly folders: readonly string[];
  /** Larger files are not read, in bytes. */
  readonly maxBytes: number;
}

/** Request bodies that Kong has buffered to disk: regular files below Kong's folders, of a limited size. */
export class BodyFiles {
  readonly #folders: readonly string[];
  readonly #maxBytes: number;

  constructor({ folders, maxBytes }: BodyFilesOptions) {
    this.#folders = folders;
    this.#maxBytes = maxBytes;
  }

  /**
   * @param maxBytes larger files are refused before they are read
   * @throws KongTsError PDK_BODY_UNAVAILABLE
   */
  async read(file: string, maxBytes = Infinity): Promise<Buffer> {
    try {
      if (Buffer.byteLength(file) > longestPath) throw new Refusal('its path is longer than a path may be');
      await this.#checkFolder(path.dirname(file));
      const handle = await open(file, flags);
      try {
        return await this.#readFrom(handle, Math.min(maxBytes, this.#maxBytes));
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw error instanceof Refusal ? error.about(file) : unavailable(file, messageOf(error), error);
    }
  }

  async #readFrom(handle: FileHandle, limit: number): Promise<Buffer> {
    // A folder may have become a link since it was looked at: where the system tells, the open file decides.
    const opened = await readlink(`/proc/self/fd/${String(handle.fd)}`).catch(() => null);
    if (opened !== null) await this.#checkOpened(opened);
    const status = await handle.stat();
    if (!status.isFile()) throw new Refusal('it is not a regular file');
    // A body has one name, or none once Kong has removed it. Another name may be that of somebody's secret.
    if (status.nlink > 1) throw new Refusal('it has several names (hard links)');
    if (status.size > limit) {
      throw new Refusal(`it has ${String(status.size)} bytes, more than the ${String(limit)} allowed`);
    }
    return readAll(handle, status.size);
  }

  /** @throws Refusal unless the folder is one of Kong's, or below one */
  async #checkFolder(folder: string): Promise<void> {
    const real = path.isAbsolute(folder) ? await realpath(folder) : null;
    if (real === null) throw this.#outside();
    for (const allowed of this.#folders) if (await holds(allowed, real)) return;
    throw this.#outside();
  }

  /** The same for a path that the system tells of an open file: it holds no link, and nothing of it is resolved again. */
  async #checkOpened(file: string): Promise<void> {
    const folder = path.dirname(file);
    for (const allowed of this.#folders) {
      const top = await placeOf(allowed).catch(() => null);
      if (top !== null && isKongs(top, folder)) return;
    }
    throw this.#outside();
  }

  #outside(): Refusal {
    const known = this.#folders.length === 0 ? 'none is allowed' : `allowed: ${this.#folders.join(', ')}`;
    return new Refusal(
      `it is in no folder that bodies may be read from (${known})`,
      'Name the folder with --body-folder: client_body_temp in the prefix of a Kong that shares its files with this server.',
    );
  }
}

/** Whether one of Kong's folders exists, and is or contains a real folder. A link does not count as Kong's. */
async function holds(allowed: string, real: string): Promise<boolean> {
  try {
    const top = await placeOf(allowed);
    return (await lstat(top)).isDirectory() && isKongs(top, real);
  } catch {
    return false;
  }
}

/**
 * The place of a folder, which may be reached over links and may not be one itself: a user who can write beside it
 * could make it one between two looks, so that its own name is never resolved.
 */
async function placeOf(folder: string): Promise<string> {
  return path.join(await realpath(path.dirname(folder)), path.basename(folder));
}

function isKongs(top: string, folder: string): boolean {
  return isBelow(top, folder) && !unreal.some((each) => isBelow(each, folder));
}

function isBelow(top: string, folder: string): boolean {
  return folder === top || folder.startsWith(top === '/' ? top : `${top}/`);
}

/** Reads as many bytes as the file had. Bytes added meanwhile are not part of the body. */
async function readAll(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length);
    if (bytesRead === 0) throw new Refusal('it became shorter while it was read');
    length += bytesRead;
  }
  return bytes;
}

/** Says why a file is not read. The caller that knows the path adds it. */
class Refusal extends Error {
  readonly #fix: string | undefined;

  constructor(why: string, fix?: string) {
    super(why);
    this.#fix = fix;
  }

  about(file: string): KongTsError {
    return unavailable(file, this.message, undefined, this.#fix);
  }
}

const shareFiles =
  "Let the plugin server share Kong's file system and user, or raise client_body_buffer_size (KONG_NGINX_HTTP_CLIENT_BODY_BUFFER_SIZE) so that bodies stay in memory.";

const told = (file: string): string =>
  file.length <= toldOfPath ? JSON.stringify(file) : `${JSON.stringify(file.slice(0, toldOfPath))}...`;

function unavailable(file: string, why: string, cause?: unknown, fix = shareFiles): KongTsError {
  return new KongTsError(
    'PDK_BODY_UNAVAILABLE',
    `Kong has buffered the request body to ${told(file)}, which cannot be read here: ${why}.`,
    { cause, fix },
  );
}

/**
 * The folders where Kong keeps bodies by default: `client_body_temp` in its prefix. The prefix is /usr/local/kong by
 * default. Since Kong 3.9, the sockets of plugin servers lie there, too.
 */
export function defaultBodyFolders(sockets: readonly string[]): string[] {
  const prefixes = [...sockets.map((socket) => path.dirname(socket)), '/usr/local/kong'];
  return [...new Set(prefixes)].map((prefix) => path.join(prefix, 'client_body_temp'));
}
