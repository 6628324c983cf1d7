import { parseJson } from '../text/exact-json.ts';

/** An answer that says why something was not done. */
export class ApiError extends Error {
  /** 0: there was no answer. */
  readonly status: number;
  /** What is wrong with each field, by its dotted path. */
  readonly fields: Readonly<Record<string, string>>;
  constructor(status: number, message: string, fields: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

export const reasonOf = (error: unknown): string =>
  error instanceof Error && error.message !== '' ? error.message : 'it failed without a reason';

/** Where the API is: beside the page. A page below `/x/console/` asks below `/x/`. */
export const apiBase = new URL('../', document.baseURI).pathname.replace(/\/$/, '');

type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  readonly body?: unknown;
  /** The body as JSON text already. */
  readonly text?: string;
  readonly signal?: AbortSignal;
}

/** How long an answer is waited for. What takes longer is asked in portions. */
const patienceMs = 30_000;

/** Told of every answer 401: the session is over. */
let onUnauthorized: () => void = () => undefined;
export const whenUnauthorized = (listener: () => void): void => {
  onUnauthorized = listener;
};

/** @throws ApiError */
export async function call<Answer>(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const { signal } = options;
  const body = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const limit = AbortSignal.timeout(patienceMs);
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(urlOf(path, options.query), {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      headers: {
        accept: 'application/json',
        'kong-ts-console': '1',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    });
    text = await answer.text();
  } catch (error) {
    if (limit.aborted) throw new ApiError(0, `no answer within ${String(patienceMs / 1000)} s`);
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, 'the dispatcher cannot be reached');
  }
  if (answer.status === 401) onUnauthorized();
  if (!answer.ok) throw errorOf(answer.status, text);
  return (text === '' ? undefined : parseJson(text)) as Answer;
}

export const urlOf = (path: string, query: Query = {}): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value != null && value !== '') search.set(name, String(value));
  return `${apiBase}${path}${search.size === 0 ? '' : `?${search.toString()}`}`;
};

function errorOf(status: number, text: string): ApiError {
  try {
    const { message, fields } = JSON.parse(text) as { message?: unknown; fields?: unknown };
    const flat = flatten(fields);
    // Kong repeats the fields within its message; they stand beside their inputs here.
    const said = typeof message === 'string' ? message : `status ${String(status)}`;
    return new ApiError(status, said, flat);
  } catch {
    return new ApiError(status, `status ${String(status)}`);
  }
}

/** `{config:{url:"bad"}}` as `{"config.url":"bad"}`; lists count from 1, as the API's own paths do. */
export function flatten(fields: unknown, path = ''): Record<string, string> {
  if (typeof fields === 'string') return { [path]: fields };
  if (typeof fields !== 'object' || fields === null) return {};
  const isList = Array.isArray(fields);
  return Object.assign(
    {},
    ...Object.entries(fields).map(([name, value]) => {
      const step = isList ? String(Number(name) + 1) : name;
      return flatten(value, path === '' ? step : `${path}.${step}`);
    }),
  ) as Record<string, string>;
}

/** An option that may be away stays away. */
export const given = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };

/** The text, if it is a JSON object. @throws Error that says what is wrong */
export function checkedJson(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`The fields are no JSON: ${reasonOf(error)}`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text;
  throw new Error('The fields have to be one JSON object.');
}
