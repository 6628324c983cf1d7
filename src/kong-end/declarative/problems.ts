import { KongTsError } from '../../base/errors.ts';
import { isObject, isTable, prettyTable } from '../schema/index.ts';
import type { FieldError, FieldErrors } from '../schema/index.ts';

/** What decK reads beside the entities. Kong itself refuses a file that has it. */
export const deckFields = ['_info', '_workspace', '_plugin_configs'] as const;

/** Where an entity stands in a file: `services`, 0, `routes`, 2. */
export type EntityPath = readonly (string | number)[];

const shown = 20;

/** The errors of one file, kept as Kong's tree (`{services: [null, {host: "..."}]}`) and as lines for people. */
export class Problems {
  /** Kong's `fields` object. */
  readonly tree: FieldErrors = {};
  readonly #lines: string[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  get found(): boolean {
    return this.#lines.length > 0;
  }

  /** Adds an error; `label` is how a person knows the entity (its name). */
  add(path: EntityPath, error: FieldError, label?: string): void {
    place(this.tree, path, error);
    const where = pathText(path) + (label === undefined ? '' : ` ('${label}')`);
    for (const [field, message] of flatten(error, '')) {
      this.#lines.push(
        `${where}${where !== '' && field !== '' ? ', ' : ''}${field}${where !== '' || field !== '' ? ': ' : ''}${message}`,
      );
    }
  }

  get #fix(): string | undefined {
    const [, plugin] = /plugin '([^']+)' not enabled/.exec(this.#lines.join('\n')) ?? [];
    if (plugin !== undefined)
      return (
        `The sandbox was not told of a server that has ${plugin}. Serve it, and name its socket and dump: ` +
        `--plugin-server "${plugin}=/path/of/its.sock,query=npx kong-ts dump ./${plugin}.ts". It is named in --plugins, too, where that is given.`
      );
    if (deckFields.some((name) => this.#lines.includes(`${name}: unknown field`)))
      return 'Kong itself takes no file with fields of decK. To try a file for decK, start the sandbox with --deck.';
    return undefined;
  }

  toError(): KongTsError {
    const more = this.#lines.length > shown ? `; and ${this.#lines.length - shown} more` : '';
    return new DeclarativeError(
      `The declarative configuration '${this.#file}' is not valid: ${this.#lines.slice(0, shown).join('; ')}${more}.`,
      this.tree,
      this.#fix,
    );
  }
}

/** DECLARATIVE_INVALID with Kong's error tree. */
export class DeclarativeError extends KongTsError {
  readonly fields: FieldErrors;

  constructor(message: string, fields: FieldErrors, fix?: string) {
    super('DECLARATIVE_INVALID', message, fix === undefined ? {} : { fix });
    this.fields = fields;
  }
}

/** Kong's summary of a declarative configuration's errors. */
export function declarativeSummary(fields: object): string {
  return `declarative config is invalid: ${prettyTable(fields, '')}`;
}

/** `services[0].routes[2]`. */
export function pathText(path: EntityPath): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

function flatten(error: FieldError, path: string): [string, string][] {
  if (typeof error === 'string') return [[path, error]];
  if (Array.isArray(error)) {
    return error.flatMap((item, index) =>
      item === null ? [] : flatten(item, path === '@entity' ? '' : `${path}[${index}]`),
    );
  }
  return Object.entries(error).flatMap(([key, item]) => flatten(item, path === '' ? key : `${path}.${key}`));
}

function place(tree: FieldErrors, path: EntityPath, error: FieldError): void {
  let at: FieldErrors | (FieldError | null)[] = tree;
  path.forEach((part, index) => {
    const last = index === path.length - 1;
    const next: FieldError = last ? error : typeof path[index + 1] === 'number' ? [] : {};
    if (Array.isArray(at)) {
      const position = Number(part);
      while (at.length < position) at.push(null);
      const current: FieldError | null = at[position] ?? null;
      at[position] = merged(current, next);
      at = at[position] as FieldErrors;
    } else {
      const key = String(part);
      at[key] = merged(at[key] ?? null, next);
      at = at[key] as FieldErrors;
    }
  });
  if (path.length === 0 && isObject(error)) Object.assign(tree, error);
}

function merged(current: FieldError | null, next: FieldError): FieldError {
  if (!isTable(current)) return next;
  if (isObject(current) && isObject(next)) return Object.assign(current, next);
  return current;
}
