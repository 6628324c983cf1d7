import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../../base/package.ts';

/** One file of the page, as it is sent. */
export interface PageFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
  /** Its name changes with what it holds, so nobody has to ask again. */
  readonly isImmutable: boolean;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** Where the build puts the page. */
export const pageFolder: URL = new URL('dist/console/', packageRoot);

/** The built page, read once and kept in memory. Only files that were there then can be asked for. */
export class PageFiles {
  readonly #folder: URL;
  #files: ReadonlyMap<string, PageFile> | null = null;

  constructor(folder: URL = pageFolder) {
    this.#folder = folder;
  }

  /** The file of a path below `/console/`, null where there is none. */
  get(path: string): PageFile | null {
    return this.#all().get(path === '' ? 'index.html' : path) ?? null;
  }
  /** Whether the page was built. A build that comes later is found. */
  get isBuilt(): boolean {
    return this.#all().has('index.html');
  }

  #all(): ReadonlyMap<string, PageFile> {
    if (this.#files !== null) return this.#files;
    const files = read(fileURLToPath(this.#folder));
    if (files.has('index.html')) this.#files = files;
    return files;
  }
}

function read(folder: string): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const [below, isImmutable] of [
    ['', false],
    ['assets', true],
  ] as const) {
    for (const name of namesIn(join(folder, below))) {
      const type = types[extname(name)];
      if (type === undefined) continue;
      const body = readFileSync(join(folder, below, name));
      const digest = createHash('sha256').update(body).digest('base64url').slice(0, 27);
      files.set(below === '' ? name : `${below}/${name}`, { body, type, etag: `"${digest}"`, isImmutable });
    }
  }
  return files;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
