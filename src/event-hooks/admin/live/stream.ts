import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { packageVersion } from '../../../base/package.ts';
import type { Clock } from '../../../base/clock.ts';
import { HookInvalidError } from '../../model/errors.ts';
import type { BacklogReader } from '../../dispatcher/backlog.ts';
import { answer, invalid, query } from '../endpoint.ts';
import type { AdminRequest, Endpoint } from '../endpoint.ts';
import type { Numbered, RecentRows } from './recent-rows.ts';
import { isWanted, rowTypes } from './rows.ts';
import type { RowFilter, RowType } from './rows.ts';
import { Sampler } from './sampler.ts';

const defaultRows = 50;
const mostRows = 200;
/** How often a stream says that it is still there, and how often it says what it has left out. In milliseconds. */
const commentMs = 15_000;
const skippedMs = 1000;
/** When a browser tries again, in milliseconds. */
const retryMs = 2000;

export const streamEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/stream',
    summary: 'Events, attempts and changes as they happen, as server-sent events',
    query: [
      query('types', `Of ${rowTypes.join(', ')}, separated by commas (default: all).`),
      query('hook', 'Attempts of this hook only.'),
      query('source', 'Of this source only.'),
      query('event', 'Of events of this name only.'),
      query('state', 'Attempts that left a delivery in this state only.'),
      query(
        'rows',
        `The most rows a second: 1 to ${String(mostRows)} (default ${String(defaultRows)}).`,
        'integer',
      ),
      query('last_event_id', 'Go on behind this row, as the header Last-Event-ID does.'),
    ],
    answers: {
      200: answer(
        'First "hello"; then rows, "skipped" with how many were left out, and "gap" where rows are missing.',
        { type: 'string' },
        'text/event-stream',
      ),
      ...invalid,
    },
    isEndless: true,
    handle: async ({ dispatcher, access, tails, live }, request, reply) => {
      const filter = readFilter(request.query);
      const rows = readRows(request.query.rows);
      const stream = new PassThrough();
      const reader = tails.reader();
      const end = new LiveStream({
        write: (text) => {
          write(stream, reader, text);
        },
        live,
        filter,
        rows,
        seesPayloads: access.callerOf(request).seesPayloads,
        clock: dispatcher.options.clock,
        lastId: lastIdOf(request),
      }).begin();
      const leave = (): void => {
        end();
        reader.leave();
      };
      stream.on('close', leave).on('error', leave);
      // A client that sends no more has gone: this answer has no end of its own.
      for (const event of ['end', 'close']) request.raw.socket.once(event, () => stream.destroy());
      void reply
        .header('cache-control', 'no-store')
        // nginx would keep it back otherwise.
        .header('x-accel-buffering', 'no')
        .type('text/event-stream')
        .send(stream);
      await once(stream, 'close');
      return reply;
    },
  },
];

/** A reader that is too slow is cut off: it comes back and says what it had. */
function write(stream: PassThrough, reader: BacklogReader, text: string): void {
  if (stream.destroyed) return;
  const bytes = Buffer.from(text);
  if (!reader.take(bytes.length)) stream.destroy();
  else stream.write(bytes, () => reader.left(bytes.length));
}

interface LiveStreamOptions {
  readonly write: (text: string) => void;
  readonly live: RecentRows;
  readonly filter: RowFilter;
  /** Rows a second. */
  readonly rows: number;
  readonly seesPayloads: boolean;
  readonly clock: Clock;
  /** The last row that the watcher has; null: it is new. */
  readonly lastId: string | null;
}

/** One watcher's stream. */
export class LiveStream {
  readonly #options: LiveStreamOptions;
  readonly #sampler: Sampler;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#sampler = new Sampler(options.rows, options.clock.now());
  }

  /** @returns the function that ends it */
  begin(): () => void {
    const { write, live, rows, seesPayloads, lastId } = this.#options;
    write(
      `retry: ${String(retryMs)}\n${message('hello', { version: packageVersion(), rows, payloads: seesPayloads })}`,
    );
    const missed = lastId === null ? [] : live.after(lastId);
    const endWatch = live.watch((numbered) => {
      this.#row(numbered);
    });
    if (missed === null)
      write(message('gap', { reason: 'what has happened in between is not known any more' }));
    for (const numbered of missed ?? []) this.#row(numbered);
    const ends = [
      this.#every(commentMs, () => {
        write(': still here\n\n');
      }),
      this.#every(skippedMs, () => {
        this.#skipped();
      }),
    ];
    return () => {
      endWatch();
      for (const end of ends) end();
    };
  }

  #row(numbered: Numbered): void {
    const { live, write, filter, seesPayloads, clock } = this.#options;
    const { row } = numbered;
    if (!isWanted(row, filter) || !this.#sampler.passes(row.type, clock.now())) return;
    write(`id: ${live.idOf(numbered)}\nevent: ${row.type}\ndata: ${row.text(seesPayloads)}\n\n`);
  }

  #skipped(): void {
    const skipped = this.#sampler.takeSkipped();
    if (skipped === null) return;
    const { event = 0, delivery = 0, ...others } = skipped;
    const other = Object.values(others).reduce((sum, count) => sum + count, 0);
    this.#options.write(message('skipped', { events: event, deliveries: delivery, others: other }));
  }

  #every(ms: number, run: () => void): () => void {
    const { clock } = this.#options;
    let timer: unknown = null;
    const arm = (): void => {
      timer = clock.setTimeout(() => {
        run();
        arm();
      }, ms);
    };
    arm();
    return () => {
      clock.clearTimeout(timer);
    };
  }
}

const message = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

function lastIdOf({ headers, query }: AdminRequest): string | null {
  const id = headers['last-event-id'] ?? query.last_event_id;
  return typeof id === 'string' && id !== '' ? id : null;
}

function readRows(value: unknown): number {
  const rows = value === undefined ? defaultRows : Number(value);
  if (Number.isInteger(rows) && rows >= 1 && rows <= mostRows) return rows;
  throw new HookInvalidError([{ path: 'rows', text: `expected an integer from 1 to ${String(mostRows)}` }]);
}

function readFilter(from: Readonly<Record<string, unknown>>): RowFilter {
  const text = (name: string): string | null => {
    const value = from[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const asked = text('types')?.split(',') ?? rowTypes;
  const types = asked.filter((type): type is RowType => (rowTypes as readonly string[]).includes(type));
  if (types.length !== asked.length)
    throw new HookInvalidError([{ path: 'types', text: `expected some of: ${rowTypes.join(', ')}` }]);
  return {
    types: new Set(types),
    hook: text('hook')?.toLowerCase() ?? null,
    source: text('source'),
    event: text('event'),
    state: text('state'),
  };
}
