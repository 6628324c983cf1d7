import { isUuid } from '../base/uuid.ts';
import { KongTsError } from '../base/errors.ts';
import type { FunctionRow } from './catalogue.ts';
import { argumentRefusal } from './refusals.ts';
import { errorContentTypes } from './bodies/error-body.ts';

/** Checks the arguments of one call against each other. @throws KongTsError PDK_INVALID_ARGUMENT */
export type Relation = (row: FunctionRow, args: readonly unknown[]) => void;

/** Rules of Kong that look at several arguments of one call. */
const relations: Readonly<Record<string, Relation>> = {
  'kong.client.load_consumer': (row, [id, byUsername]) => {
    if (byUsername === true || isUuid(id)) return;
    throw argumentRefusal(row, 'idOrUsername', id, 'a UUID unless searchByUsername is true');
  },
  'kong.client.authenticate': (row, [consumer, credential]) => {
    if (consumer != null || credential != null) return;
    throw new KongTsError(
      'PDK_INVALID_ARGUMENT',
      `${row.path}(): one of consumer and credential must be an object, both are null.`,
    );
  },
  'kong.service.request.set_header': (row, [name, value]) => {
    if ((name as string).toLowerCase() !== 'host' || !Array.isArray(value)) return;
    throw argumentRefusal(row, 'value', value, 'a single value for the Host header');
  },
  'kong.response.error': (row, [, , headers]) => {
    const type = givenContentType(headers);
    if (type === undefined) return;
    const media = type.replace(/; charset=utf-8$/, '');
    if (media === 'application/grpc' || errorContentTypes.includes(media)) return;
    throw argumentRefusal(row, 'the Content-Type in headers', type, `one of ${errorContentTypes.join(', ')}`);
  },
};

/** The rule for a function's arguments together, null without one. It throws KongTsError PDK_INVALID_ARGUMENT. */
export function relationOf(row: FunctionRow): Relation | null {
  return relations[row.name] ?? null;
}

/** The Content-Type among headers as they travel, undefined without one. */
export function givenContentType(headers: unknown): string | undefined {
  for (const [name, value] of Object.entries((headers ?? {}) as Record<string, string | string[]>)) {
    if (/^content[-_]type$/i.test(name)) return Array.isArray(value) ? value[0] : value;
  }
  return undefined;
}
