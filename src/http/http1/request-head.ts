import type { RequestTarget } from './request-target.ts';
import { looksLikeTarget, parseTarget, validHost } from './request-target.ts';

/** A status that nginx answers a request with before anything else sees it. */
export type RefusalStatus = 400 | 405 | 408 | 414 | 494 | 501 | 505;

/** Line and headers of a request as nginx takes them; strings hold one character per byte (latin1). */
export interface RequestHead {
  /** The request line without its end; empty until it was read. */
  readonly line: string;
  readonly method: string;
  readonly target: RequestTarget;
  readonly minor: number;
  /** Names and values, one after the other. */
  readonly rawHeaders: string[];
  /** Bytes of line and headers, line ends included. */
  readonly bytes: number;
  /** `$host`: of an absolute target, else of the Host header; null where neither is there. */
  readonly host: string | null;
  /** Length of the body in bytes, `chunked`, or null where none was announced. */
  readonly body: number | 'chunked' | null;
}

/** A request that is answered at once. `head` holds what was read until then. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly status: RefusalStatus;
  readonly head: RequestHead;

  constructor(status: RefusalStatus, head: RequestHead) {
    super(`the request is refused with ${String(status)}`);
    this.status = status;
    this.head = head;
  }
}

const noTarget: RequestTarget = { uri: '', path: '', args: '', host: null };
export const emptyHead: RequestHead = {
  line: '',
  method: '',
  target: noTarget,
  minor: 1,
  rawHeaders: [],
  bytes: 0,
  host: null,
  body: null,
};

/** The parts of a request line, without its end, or the status that nginx refuses it with. */
export function parseRequestLine(
  line: string,
): Pick<RequestHead, 'method' | 'target' | 'minor'> | RefusalStatus {
  const parts = /^([A-Z_-]+) +([!-~\x80-\xff]+)( *)([^]*)$/.exec(line);
  if (parts === null) return 400;
  const [, method = '', text = '', space = '', protocol = ''] = parts;
  const version = /^HTTP\/([1-9])([0-9]*)(.*)$/.exec(protocol);
  if (version === null || space === '') return 400;
  // Read from left to right: a target that is none comes before a version that is none, bad triplets after it.
  if (!looksLikeTarget(text)) return 400;
  if (version[1] !== '1' || version[2] !== '') return 505;
  const minor = /^\.([0-9]{1,3}) *$/.exec(version[3] ?? '');
  const target = parseTarget(text);
  if (minor === null || target === null) return 400;
  return { method, target, minor: Number(minor[1]) };
}

/** Headers that nginx wants at most once. */
const unique = new Set([
  'if-modified-since',
  'if-unmodified-since',
  'if-match',
  'if-none-match',
  'content-length',
  'content-range',
  'if-range',
  'transfer-encoding',
  'expect',
  'authorization',
  'host',
]);

/** What nginx checks once all headers are there. @throws RequestRefused */
export function completeHead(head: RequestHead): RequestHead {
  const refuse = (status: RefusalStatus): never => {
    throw new RequestRefused(status, head);
  };
  const once = new Map<string, string>();
  for (let i = 0; i + 1 < head.rawHeaders.length; i += 2) {
    const name = (head.rawHeaders[i] as string).toLowerCase();
    if (!unique.has(name)) continue;
    if (once.has(name)) refuse(400);
    once.set(name, head.rawHeaders[i + 1] as string);
  }
  const named = once.get('host');
  const host = named === undefined ? null : validHost(named);
  if (named === undefined ? head.minor > 0 : host === null) refuse(400);
  const length = once.get('content-length');
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) refuse(400);
  const encoding = once.get('transfer-encoding');
  if (encoding !== undefined) {
    if (head.minor === 0) refuse(400);
    if (encoding.toLowerCase() !== 'chunked') refuse(501);
    if (length !== undefined) refuse(400);
  }
  if (head.method === 'CONNECT' || head.method === 'TRACE') refuse(405);
  const body = encoding !== undefined ? 'chunked' : length === undefined ? null : Number(length);
  return { ...head, host: head.target.host ?? host, body };
}
