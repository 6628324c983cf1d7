import { createHash } from 'node:crypto';
import { parseAllDocuments } from 'yaml';
import type { CollectionTag, ScalarTag, Tags } from 'yaml';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { readText } from '../../base/read-text.ts';
import { isDeeperThan, isObject } from '../schema/index.ts';
import type { PlainObject } from '../schema/index.ts';

/** A declarative file, parsed. */
export interface DeclarativeDocument {
  /** What errors call it. */
  readonly file: string;
  readonly data: PlainObject;
  /** MD5 of the text: Kong's configuration hash. */
  readonly hash: string;
}

/** As deep as Kong's JSON decoder goes. */
const maxDepth = 1000;

/** Reads a file. Throws FILE_UNREADABLE or DECLARATIVE_INVALID, both naming the file. */
export function readDocument(file: string): DeclarativeDocument {
  let text: string;
  try {
    text = readText(file);
  } catch (thrown) {
    throw new KongTsError(
      'FILE_UNREADABLE',
      `The declarative configuration '${file}' cannot be read: ${messageOf(thrown)}.`,
      {
        cause: thrown,
        fix: 'Check the path given with --config.',
      },
    );
  }
  if (!/(json|ya?ml)$/.test(file)) {
    throw new UnreadableDocument(file, `unknown file type: ${file}. (Accepted types: json, yaml)`);
  }
  return parseDocument(text, file, file.endsWith('json') ? 'json' : 'yaml');
}

/** Parses text; without a format JSON is tried first, then YAML, as Kong does with a body. */
export function parseDocument(text: string, file: string, format?: 'json' | 'yaml'): DeclarativeDocument {
  let data: unknown;
  try {
    data =
      format === 'json' || (format === undefined && looksLikeJson(text)) ? JSON.parse(text) : parseYaml(text);
  } catch (thrown) {
    throw new UnreadableDocument(file, `failed parsing declarative configuration: ${placed(thrown)}`, thrown);
  }
  if (!isObject(data))
    throw new UnreadableDocument(file, 'failed parsing declarative configuration: expected an object');
  if (isDeeperThan(data, maxDepth))
    throw new UnreadableDocument(
      file,
      `failed parsing declarative configuration: it nests more than ${String(maxDepth)} levels deep`,
    );
  return { file, data, hash: createHash('md5').update(text).digest('hex') };
}

/** What is wrong, and where, as libyaml says it: `LINE:COLUMN: what`. */
function placed(thrown: unknown): string {
  const [what = ''] = messageOf(thrown).split('\n');
  const [, text = '', line = '', column = ''] = /^(.*?) at line (\d+), column (\d+):?$/.exec(what) ?? [];
  return line === '' ? what : `${line}:${column}: ${text}`;
}

/** Tags of YAML 1.1 that Kong's parser does not guess: a date stays text. */
const notGuessed = new Set(
  ['binary', 'omap', 'pairs', 'set', 'timestamp'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** A directive does not change how Kong's parser guesses. */
const directive = /^%YAML[ \t]+1\.[12](?=\s)/gm;

/**
 * YAML 1.1, as Kong reads it (lyaml 6.2.8): `yes`, `no`, `on` and `off` are booleans, `0644` is octal and `1:30` is ninety; of a
 * key that is there twice the last counts, of several documents the first, and the others have to be right, too. Anchors
 * and merge keys work; aliases are limited, so a small file cannot become a huge one.
 */
export function parseYaml(text: string): unknown {
  const documents = parseAllDocuments(text.replace(directive, '%YAML 1.1'), {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    logLevel: 'error',
    customTags: (tags) => tags.flatMap((tag): Tags => (typeof tag === 'string' ? [tag] : guessed(tag))),
  });
  if (!Array.isArray(documents)) return null;
  const [wrong] = documents.flatMap(({ errors }) => errors);
  if (wrong !== undefined) throw wrong;
  return documents[0]?.toJS({ maxAliasCount: 10_000 }) as unknown;
}

function guessed(tag: CollectionTag | ScalarTag): (CollectionTag | ScalarTag)[] {
  if (notGuessed.has(tag.tag)) return [];
  if (tag.tag !== 'tag:yaml.org,2002:bool' || !('test' in tag) || tag.test === undefined) return [tag];
  // `y` and `n` are names of fields more often than booleans, and no library of YAML 1.1 in use takes them for such.
  const { test } = tag;
  return [{ ...tag, test: new RegExp(`^(?![yYnN]$)${test.source}`) }];
}

function looksLikeJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The text is not a document at all. `reason` are Kong's words, without the name of the file. */
export class UnreadableDocument extends KongTsError {
  readonly reason: string;

  constructor(file: string, reason: string, cause?: unknown) {
    super('DECLARATIVE_INVALID', `The declarative configuration '${file}' is not valid: ${reason}.`, {
      ...(cause === undefined ? {} : { cause }),
    });
    this.reason = reason;
  }
}
