import { open } from 'node:fs/promises';
import type { Buffer } from 'node:buffer';
import { KongTsError, messageOf } from '../../errors.ts';

/**
 * Reads a request body that Kong buffered to disk.
 * @param maxBytes larger files are refused before they are read
 * @throws KongTsError PDK_BODY_UNAVAILABLE
 */
export async function readBodyFile(path: string, maxBytes = Infinity): Promise<Buffer> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw unavailable(path, messageOf(error), error);
  }
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw unavailable(path, `it has ${size} bytes, more than the ${maxBytes} allowed`);
    return await file.readFile();
  } catch (error) {
    throw error instanceof KongTsError ? error : unavailable(path, messageOf(error), error);
  } finally {
    await file.close();
  }
}

function unavailable(path: string, why: string, cause?: unknown): KongTsError {
  return new KongTsError(
    'PDK_BODY_UNAVAILABLE',
    `Kong has buffered the request body to ${path}, which cannot be read here: ${why}.`,
    {
      cause,
      fix: "Let the plugin server share Kong's file system and user, or raise client_body_buffer_size (KONG_NGINX_HTTP_CLIENT_BODY_BUFFER_SIZE) so that bodies stay in memory.",
    },
  );
}
