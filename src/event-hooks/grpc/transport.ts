import type * as GrpcModule from '@grpc/grpc-js';
import type { ClientDuplexStream, Client } from '@grpc/grpc-js';
import { DoublingPause } from '../../base/doubling-pause.ts';
import { messageOf } from '../../base/errors.ts';
import { Interest } from '../client/interest.ts';
import type { EventTransport, TransportStats } from '../client/transport.ts';
import type { EventDeclaration, HookEvent } from '../model/event.ts';
import { grpcTarget, parseAddress } from './address.ts';
import { EmitBuffer } from '../client/emit-buffer.ts';
import { SourceRegistry } from '../sources/registry.ts';
import { eventHooksService } from './service.ts';
import type { EmitRequest, EmitResponse, EventHooksService } from './service.ts';

export interface ConnectOptions {
  /** `unix:/path` or `host:port`. */
  address: string;
  token?: string | null;
  /** PEM texts for mutual TLS. */
  tls?: { ca: string; cert: string; key: string } | null;
  /** Events kept while the dispatcher is away; more are dropped, the newest first. Default 10,000. */
  maxBuffered?: number;
  /** Bytes of data kept likewise. Default 32 MiB. */
  maxBufferedBytes?: number;
  /** Longest pause between two attempts to connect, in milliseconds. Default 2000. */
  maxBackoffMs?: number;
  /** Told once when the dispatcher goes away, once when it is back. */
  onState?: (state: 'connected' | 'away', reason: string) => void;
}

type Grpc = typeof GrpcModule;
const firstBackoffMs = 20;
const maxRefusedBackoffMs = 1000;

/** A transport to a dispatcher in another process. Connects, and connects again, by itself. */
export class GrpcTransport implements EventTransport {
  readonly stats: TransportStats = { sent: 0, acknowledged: 0, dropped: 0, buffered: 0 };
  readonly #options: ConnectOptions;
  readonly #grpc: Grpc;
  readonly #service: EventHooksService;
  readonly #buffer: EmitBuffer;
  readonly #declarations = new SourceRegistry();
  #client: Client | null = null;
  #stream: ClientDuplexStream<EmitRequest, EmitResponse> | null = null;
  /** The stream whose buffer is full, until it has drained. */
  #full: unknown = null;
  #interest: Interest | null = null;
  #version = 0;
  /** Between two attempts to connect. */
  readonly #backoff: DoublingPause;
  /** Between two attempts to hand over what was not stored. */
  readonly #refusedBackoff = new DoublingPause(firstBackoffMs, maxRefusedBackoffMs);
  #refusedTimer: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;
  #sending = false;
  #closed = false;
  #state: 'connected' | 'away' | null = null;

  constructor(grpc: Grpc, options: ConnectOptions) {
    this.#grpc = grpc;
    this.#options = options;
    this.#service = eventHooksService();
    this.#backoff = new DoublingPause(firstBackoffMs, options.maxBackoffMs ?? 2000);
    this.#buffer = new EmitBuffer(
      options.maxBuffered ?? 10_000,
      options.maxBufferedBytes ?? 32 * 1024 * 1024,
      this.stats,
    );
    this.#connect();
  }

  get interest(): Interest | null {
    return this.#interest;
  }

  publish(declaration: EventDeclaration): void {
    if (this.#declarations.publish(declaration) !== null) return;
    if (this.#state === 'connected') this.#declare([declaration]);
  }

  send(events: HookEvent[]): void {
    this.#buffer.add(events);
    if (this.#sending) return;
    this.#sending = true;
    setImmediate(this.#pump);
  }

  flush(timeoutMs = 5000): Promise<void> {
    return this.#buffer.emptied(timeoutMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#refusedTimer !== null) clearTimeout(this.#refusedTimer);
    this.#stream?.cancel();
    this.#client?.close();
    this.#client = null;
  }

  readonly #pump = (): void => {
    this.#sending = false;
    const stream = this.#stream;
    if (stream === null || stream === this.#full || this.#state !== 'connected') return;
    for (;;) {
      const batch = this.#buffer.next();
      if (batch === null) return;
      const more = stream.write({
        batch: batch.number,
        events: batch.events,
        interestVersion: this.#version,
      });
      if (!more) {
        this.#full = stream;
        stream.once('drain', () => {
          this.#full = null;
          this.#pump();
        });
        return;
      }
    }
  };

  #connect(): void {
    if (this.#closed) return;
    const { address, tls } = this.#options;
    const { credentials: made, Client: GrpcClient } = this.#grpc;
    const credentials =
      tls == null
        ? made.createInsecure()
        : made.createSsl(Buffer.from(tls.ca), Buffer.from(tls.key), Buffer.from(tls.cert));
    const client = new GrpcClient(grpcTarget(parseAddress(address)), credentials, {
      // A channel of its own for each connection, so that pauses between attempts are ours, and a replaced socket is
      // found at once.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
    });
    this.#client = client;
    const { path, requestSerialize, responseDeserialize } = this.#service.emit;
    const stream = client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      this.#metadata(),
    );
    this.#stream = stream;
    let over = false;
    const lost = (reason: string): void => {
      if (over) return;
      over = true;
      this.#lost(client, reason);
    };
    stream.on('data', (response: EmitResponse) => {
      if (!over) this.#receive(response);
    });
    stream.on('error', (error) => {
      lost(messageOf(error));
    });
    stream.on('end', () => {
      lost('the dispatcher has ended the stream');
    });
  }

  #receive({ ack, interest }: EmitResponse): void {
    if (interest != null) {
      this.#interest = new Interest(
        interest.wanted.map(({ source, event }) => [source, event ?? null] as const),
      );
      this.#version = interest.version;
      if (this.#state !== 'connected') {
        this.#state = 'connected';
        this.#backoff.reset();
        for (const some of portions(this.#declarations.list())) this.#declare(some);
        this.#options.onState?.('connected', '');
      }
      this.#stream?.write({ batch: 0, events: [], interestVersion: interest.version });
      this.#pump();
    }
    if (ack == null) return;
    if (ack.error === '') {
      this.#refusedBackoff.reset();
      this.#buffer.acknowledge(ack.batch, ack.refused.length);
    } else {
      this.#buffer.putBack(ack.batch);
      this.#retryLater();
    }
  }

  /** The dispatcher is there and cannot store. The same events go again, after a pause. */
  #retryLater(): void {
    if (this.#refusedTimer !== null) return;
    this.#refusedTimer = setTimeout(() => {
      this.#refusedTimer = null;
      this.#pump();
    }, this.#refusedBackoff.next()).unref();
  }

  #lost(client: Client, reason: string): void {
    client.close();
    this.#stream = null;
    this.#buffer.putBackAll();
    if (this.#closed) return;
    if (this.#state !== 'away') this.#options.onState?.('away', reason);
    this.#state = 'away';
    const waitMs = this.#backoff.next() * (0.8 + 0.4 * Math.random());
    this.#timer = setTimeout(() => {
      this.#connect();
    }, waitMs);
    this.#timer.unref();
  }

  #declare(declarations: EventDeclaration[]): void {
    if (declarations.length === 0 || this.#client === null) return;
    const { path, requestSerialize, responseDeserialize } = this.#service.publish;
    const request = {
      declarations: declarations.map((one) => ({
        source: one.source,
        event: one.event,
        fields: [...one.fields],
        unique: [...(one.unique ?? [])],
        description: one.description ?? '',
      })),
    };
    // The next connection makes a lost declaration again.
    this.#client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.#metadata(),
      () => undefined,
    );
  }

  #metadata(): InstanceType<Grpc['Metadata']> {
    const metadata = new this.#grpc.Metadata();
    if (this.#options.token != null) metadata.set('authorization', `Bearer ${this.#options.token}`);
    return metadata;
  }
}

/** Keeps each message small enough: a dispatcher takes 16 MiB, and a declaration has 0.4 MiB at most. */
const maxPortion = 4 * 1024 * 1024;

function portions(declarations: readonly EventDeclaration[]): EventDeclaration[][] {
  const all: EventDeclaration[][] = [];
  let room = 0;
  for (const one of declarations) {
    const size = JSON.stringify(one).length * 3;
    if (size > room) {
      all.push([]);
      room = maxPortion;
    }
    all.at(-1)?.push(one);
    room -= size;
  }
  return all;
}

/**
 * Connects to a dispatcher; resolves at once, whether or not it is there. Attach the result to the hub.
 * @throws KongTsError USAGE for an invalid address
 */
export async function connectEventHooks(options: ConnectOptions): Promise<GrpcTransport> {
  parseAddress(options.address);
  return new GrpcTransport(await import('@grpc/grpc-js'), options);
}
